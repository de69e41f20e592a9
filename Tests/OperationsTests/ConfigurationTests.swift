import Operations
import Platform
import Testing

@Suite struct ConfigurationTests {
    @Test func `without any variable everything has its default`() throws {
        let configuration = try Configuration.load(environment: ["HOME": "/home/x"])
        #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 8443))
        #expect(configuration.loops >= 1)
        #expect(configuration.modelURL == "https://api.anthropic.com")
        #expect(configuration.databaseURL == nil)
        #expect(configuration.logLevel == .info)
        #expect(configuration.dataDirectory.hasPrefix("/"))
    }

    @Test func `values are read from the environment`() throws {
        let configuration = try Configuration.load(environment: [
            "ERRAND_LISTEN": "[::]:443", "ERRAND_LOOPS": "3", "ERRAND_DATA": "/srv/errand/",
            "ERRAND_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8",
            "ERRAND_CORS_ORIGINS": "https://a.example,https://b.example",
            "ERRAND_DATABASE_URL": "postgresql://errand_app:pw@db/errand", "ERRAND_LOG_LEVEL": "debug",
            "ERRAND_SHUTDOWN_SECONDS": "7",
        ])
        #expect(configuration.listen == ListenAddress(host: "::", port: 443))
        #expect(configuration.loops == 3)
        #expect(configuration.dataDirectory == "/srv/errand")
        #expect(configuration.trustedProxies.map(\.description) == ["10.0.0.0/8", "fd00::/8"])
        #expect(configuration.corsOrigins == ["https://a.example", "https://b.example"])
        #expect(configuration.databaseURL?.reveal() == "postgresql://errand_app:pw@db/errand")
        #expect(configuration.logLevel == .debug)
        #expect(configuration.shutdownGrace == .seconds(7))
    }

    @Test(arguments: [
        ("ERRAND_LISTEN", "8443"), ("ERRAND_LISTEN", "localhost:99999"), ("ERRAND_LISTEN", "::1:8443"),
        ("ERRAND_LOOPS", "0"), ("ERRAND_LOOPS", "many"), ("ERRAND_DATA", "relative/path"),
        ("ERRAND_TRUSTED_PROXIES", "10.0.0.1/8"), ("ERRAND_TRUSTED_PROXIES", "proxy"),
        ("ERRAND_DATABASE_URL", "mysql://x"), ("ERRAND_CORS_ORIGINS", "https://a.example/path"),
        ("ERRAND_LOG_LEVEL", "loud"), ("ERRAND_PUBLIC_URL", "ftp://x"), ("ERRAND_WORKER_SLOTS", "1025"),
        ("ANTHROPIC_API_KEY", "two words"), ("ERRAND_WORKER_USER", "no spaces"),
    ])
    func `a wrong value is refused with its name and a fix`(name: String, value: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            _ = try Configuration.load(environment: [name: value])
        }
        let problem = try #require(error.problems.first)
        #expect(error.problems.count == 1)
        #expect(problem.name == name)
        #expect(!problem.fix.isEmpty)
        // The positive control: without the variable everything is well.
        _ = try Configuration.load(environment: [:])
    }

    @Test func `all problems are reported at once`() throws {
        let error = try #require(throws: ConfigurationError.self) {
            _ = try Configuration.load(environment: [
                "ERRAND_LOOPS": "x", "ERRAND_LISTEN": "x", "ERRAND_TLS_CERT": "/c", "ERRAND_REDIS_SOCKET": "/s",
                "ERRAND_REDIS_URL": "redis://h:1",
            ])
        }
        #expect(
            error.problems.map(\.name) == ["ERRAND_LISTEN", "ERRAND_LOOPS", "ERRAND_TLS_KEY", "ERRAND_REDIS_URL"]
        )
    }

    @Test func `no secret appears in a listing or an error`() throws {
        let secrets = [
            "ANTHROPIC_API_KEY": "sk-hush-hush", "ERRAND_WORKER_TOKEN": "hush-token",
            "ERRAND_DATABASE_URL": "postgresql://errand_app:hush@p@ss@db/errand?x=1",
            "ERRAND_REDIS_URL": "redis://:hush@cache:6379",
        ]
        let configuration = try Configuration.load(environment: secrets)
        let text = configuration.render()
        #expect(!text.contains("hush"))
        #expect(text.contains("postgresql://errand_app:****@db/errand?x=1"))
        #expect(text.contains("redis://:****@cache:6379"))
        #expect(!"\(configuration.modelKey as Any)".contains("hush"))
        #expect(configuration.modelKey?.reveal() == "sk-hush-hush")
        let error = try #require(throws: ConfigurationError.self) {
            _ = try Configuration.load(environment: ["ERRAND_WORKER_TOKEN": "hush hush"])
        }
        #expect(!"\(error)".contains("hush"))
    }

    @Test func `a file gives what the environment does not, and secrets may have files of their own`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/errand.conf"
        let text =
            "# comment\n\nERRAND_LOOPS = 5\r\nERRAND_LISTEN=\"0.0.0.0:1\"\nANTHROPIC_API_KEY_FILE=\(directory.path)/key\n"
        try Files.writeAtomically(path, Array(text.utf8))
        try Files.writeAtomically("\(directory.path)/key", Array("sk-file\n".utf8))
        let configuration = try Configuration.load(environment: [
            "ERRAND_CONFIG_FILE": path, "ERRAND_LISTEN": "127.0.0.1:2", "ERRAND_LISTN": "typo",
        ])
        #expect(configuration.loops == 5)
        #expect(configuration.listen.port == 2)
        #expect(configuration.modelKey?.reveal() == "sk-file")
        #expect(configuration.unknownNames == ["ERRAND_LISTN"])
        #expect(configuration.listing.first { $0.name == "ERRAND_LOOPS" }?.origin == .file)
    }

    @Test(arguments: ["export ERRAND_LOOPS=1", "ERRAND_LOOPS", "ERRAND_LOOPS=1\nERRAND_LOOPS=2"])
    func `a file with a broken line is refused`(text: String) throws {
        let directory = try TemporaryDirectory()
        try Files.writeAtomically("\(directory.path)/c", Array(text.utf8))
        #expect(throws: ConfigurationError.self) {
            _ = try Configuration.load(environment: ["ERRAND_CONFIG_FILE": "\(directory.path)/c"])
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "8.8.8.8", true),
        ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false), ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe00::1", false), ("::/0", "1.2.3.4", false), ("172.16.0.0/12", "172.31.255.255", true),
        ("172.16.0.0/12", "172.32.0.0", false),
    ])
    func `a block contains its addresses and no others`(block: String, address: String, isInside: Bool) throws {
        let range = try #require(AddressRange(block))
        #expect(range.contains(try #require(SocketAddress(host: address, port: 1))) == isInside)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "10.0.0.1/24", "x/8", ""])
    func `a malformed block is refused`(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
