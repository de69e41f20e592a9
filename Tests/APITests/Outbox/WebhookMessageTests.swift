import Bytes
import Core
import Testing

@testable import API

@Suite struct WebhookMessageTests {
    @Test func `the signature is that of other implementations`() throws {
        let key = try #require(WebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let body = [UInt8](#"{"test": 2432232314}"#.utf8)
        let signature = key.signature(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a webhook keeps its name and body, and is signed anew each time`() throws {
        let key = try #require(WebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        var letter = ClaimedLetter(
            id: LetterID(at: Timestamp(milliseconds: 0)),
            channel: .webhook,
            kind: .test,
            recipient: "a@example.org",
            attempt: 1,
            createdAt: Timestamp(milliseconds: 0),
            giveUpAt: Timestamp(milliseconds: 1)
        )
        letter.notice = nil
        let text = LetterText(.test, server: "https://errand.test")
        let now = Timestamp(milliseconds: 1_790_000_000_999)
        let sent = WebhookMessage.compose(.test, text, of: letter, key: key, now: now)
        let fields = Dictionary(uniqueKeysWithValues: sent.fields.map { ($0.name, $0.value) })
        #expect(fields["webhook-id"] == letter.id.description && fields["webhook-timestamp"] == "1790000000")
        #expect(fields["webhook-signature"]?.hasPrefix("v1,") == true)
        // Another time is another signature under the same name.
        let later = WebhookMessage.compose(.test, text, of: letter, key: key, now: now.adding(seconds: 1))
        #expect(later.bytes == sent.bytes && later.fields[1].value == sent.fields[1].value)
        #expect(later.fields[3].value != sent.fields[3].value)
        let body = try JSONReader.parse(sent.bytes)
        #expect(body["type"]?.string == "test" && body["data"]?["recipient"]?.string == "a@example.org")
    }

    @Test(arguments: ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!"])
    func `a key is whsec and enough bytes`(_ text: String) {
        #expect(WebhookKey(text) == nil)
    }
}
