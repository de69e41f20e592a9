import Core
import Testing

struct AddressAndPositionTests {
    @Test(arguments: [
        ("A.User@Example.org", "a.user@example.org"), ("a+b@x.co", "a+b@x.co"), ("admin@localhost", "admin@localhost"),
    ])
    func `an address has one canonical form`(text: String, canonical: String) {
        #expect(EmailAddress.canonical(text) == canonical)
    }

    @Test(arguments: [
        "", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b..c", "a@-b", "ä@b", "a@b\0", "<a@b>", "a@b,c@d",
        String(repeating: "a", count: 65) + "@b", "a@" + String(repeating: "b", count: 300),
    ])
    func `what no mail server takes is no address`(text: String) {
        #expect(EmailAddress.canonical(text) == nil)
    }

    @Test(arguments: ["0.0", "1.1", "3.1048", "2147483647.9223372036854775807"])
    func `a position reads back`(text: String) {
        #expect(LogPosition(text)?.description == text)
    }

    @Test(arguments: [
        "", ".", "1", "1.", "-1.1", "+1.1", "1.01", "2147483648.1", "1.9223372036854775808", "1 .1", "１.1",
    ])
    func `a malformed position is refused`(text: String) {
        #expect(LogPosition(text) == nil)
    }

    @Test func `a placement class reads back`() {
        for text in ["any", "home:wrk_01kzzzzzzzzzzzzzzzzzzzzzzz"] {
            #expect(PlacementClass(text)?.description == text)
        }
        for text in ["", "home:", "home:job_01kzzzzzzzzzzzzzzzzzzzzzzz", "ANY"] { #expect(PlacementClass(text) == nil) }
    }
}
