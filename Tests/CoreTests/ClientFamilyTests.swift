import Core
import Testing

struct ClientFamilyTests {
    private static let mozilla = "Mozilla/5.0 (X11; Linux x86_64) "

    @Test(arguments: [
        (mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "chrome"),
        (mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.1.2.3 Safari/537.36", "chrome"),
        (mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "edge"),
        (mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 OPR/116.0", "opera"),
        (mozilla + "Gecko/20100101 Firefox/145.0", "firefox"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 CriOS/130 Mobile Safari/604",
            "chrome"
        ),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "safari"),
        ("Mozilla/5.0 (compatible)", "browser"), ("errand/0.1.0", "errand"), ("errand/9.9", "errand"),
        ("curl/8.5.0", "curl"), ("Python-urllib/3.11", "python-urllib"), ("okhttp 4", "okhttp"),
        ("", "unknown"), ("/1.0", "unknown"), ("<script>/1", "unknown"), ("bösartig/1", "unknown"),
        ("\u{0}", "unknown"),
    ])
    func `a client's family is its product without the version`(userAgent: String, family: String) {
        #expect(ClientFamily.of(userAgent: userAgent) == family)
    }

    @Test func `a family's name is bounded`() {
        #expect(ClientFamily.of(userAgent: String(repeating: "a", count: 100_000)).utf8.count == 40)
    }
}
