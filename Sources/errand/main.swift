import Commands
import Glibc

exit(ErrandCommand(ErrandVerbs.all).run(Array(CommandLine.arguments.dropFirst())))
