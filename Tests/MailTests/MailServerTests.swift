import CCurl
import Core
import Testing

@testable import Mail

@Suite struct MailServerTests {
    @Test func `a URL names the server, the sign-in and the way to TLS`() throws {
        let plain = try #require(MailServer("smtp://mail.example"))
        #expect(!plain.isImplicitTLS && plain.host == "mail.example" && plain.port == 587 && plain.user == nil)
        let whole = try #require(MailServer("smtps://me%40x.example:p%3aw%2Fd@MAIL.example:4650/"))
        #expect(whole.isImplicitTLS && whole.host == "mail.example" && whole.port == 4650)
        #expect(whole.user == "me@x.example" && whole.password?.revealText() == "p:w/d")
        #expect(whole.shown == "smtps://mail.example:4650" && !"\(whole)".contains("p:w/d"))
        #expect(try #require(MailServer("smtp://[::1]:25")).shown == "smtp://[::1]:25")
    }

    @Test(arguments: [
        "", "mail.example", "http://mail.example", "smtp://", "smtp://a b", "smtp://user@host", "smtp://:pw@host",
        "smtp://u:p@h/path", "smtp://h:0", "smtp://h:99999", "smtp://u%0d%0a:p@h", "smtp://u:p%2@h", "smtp://[::1",
        "smtp://-oops", "smtp://h?x",
    ])
    func `what is no such URL is refused`(_ url: String) {
        #expect(MailServer(url) == nil)
    }

    @Test(
        arguments: zip(
            [
                "smtp://127.0.0.1", "smtp://127.9.9.9", "smtp://localhost", "smtp://[::1]", "smtp://10.0.0.1",
                "smtp://mail.example",
            ],
            [true, true, true, true, false, false]
        )
    )
    func `only this machine may do without TLS`(_ url: String, _ isLocal: Bool) throws {
        #expect(try #require(MailServer(url)).isLocal == isLocal)
    }

    @Test func `only what is said of the recipient or the message is for good`() {
        func judge(_ result: CURLcode, _ code: Int, _ complaint: String, _ said: String) -> Carriage {
            MailConversation.judge(result, code, complaint, said)
        }
        #expect(judge(CURLE_OK, 250, "", "250 queued") == .taken("250 queued"))
        #expect(judge(CURLE_SEND_ERROR, 550, "RCPT failed: 550", "550 no such user") == .refused("550 no such user"))
        #expect(judge(CURLE_WEIRD_SERVER_REPLY, 554, "", "554 spam") == .refused("554 spam"))
        let later: [Carriage] = [
            judge(CURLE_SEND_ERROR, 450, "RCPT failed: 450", "450 busy"),
            judge(CURLE_SEND_ERROR, 550, "MAIL failed: 550", "550 not you"),
            judge(CURLE_LOGIN_DENIED, 535, "Login denied", "535 wrong"),
            judge(CURLE_COULDNT_CONNECT, 0, "", ""),
            judge(CURLE_USE_SSL_FAILED, 0, "STARTTLS not supported", "250 HELP"),
        ]
        for end in later {
            guard case .failed = end else {
                Issue.record("\(end)")
                continue
            }
        }
        let heard = Array("220 a\r\n250-x\r\n250 last\r\n550 no\r\n221 bye\r\n".utf8)
        #expect(MailConversation.answer(550, in: heard) == "550 no")
        #expect(MailConversation.answer(250, in: heard) == "250 last")
        #expect(MailConversation.answer(0, in: heard) == "221 bye")
    }
}
