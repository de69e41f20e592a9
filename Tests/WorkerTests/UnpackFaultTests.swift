import Testing

@testable import Worker

@Suite struct UnpackFaultTests {
    private static let ending = "tar: Exiting with failure status due to previous errors"

    @Test(arguments: [
        (
            "tar: b: Cannot hard link to ‘missing’: No such file or directory",
            "entry \"b\": cannot hard link to ‘missing’: No such file or directory"
        ),
        (
            "tar: a/x: Cannot open: Too many levels of symbolic links",
            "entry \"a/x\": cannot open: Too many levels of symbolic links"
        ),
        ("tar: a: Cannot : Cannot open: File exists", "entry \"a: Cannot \": cannot open: File exists"),
        ("tar: Unexpected EOF in archive", "Unexpected EOF in archive"),
    ])
    func `a complaint about the archive names the entry and the fault`(line: String, expected: String) {
        let fault = UnpackFault([line, "tar: second: Cannot open: File exists", Self.ending])
        #expect(fault?.description == expected + "; the other entries were unpacked")
    }

    @Test(arguments: [
        ["tar: a: Cannot write: No space left on device"], ["tar: a: Cannot open: Read-only file system"],
        ["tar: b: Cannot open: File exists", "tar: a: Cannot close: Input/output error"],
        ["tar: /workspace/x: Cannot open: Permission denied", "tar: Error is not recoverable: exiting now"], [],
        ["sh: tar: not found"], [Self.ending],
    ])
    func `a complaint about the machine is not the archive's`(lines: [String]) {
        #expect(UnpackFault(lines + [Self.ending]) == nil)
    }
}
