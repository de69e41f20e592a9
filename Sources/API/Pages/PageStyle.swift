import Bytes
import Crypto

/// How pages look: one sheet, known to the browser by its hash, light or dark as the person has it.
enum PageStyle {
    /// What elements are marked with.
    enum Class: String, Sendable {
        case problem, note, code, row, primary, plain
    }

    /// The sheet's bytes; nothing else may be between the tags.
    static let sheet = Array(
        """
        :root{color-scheme:light dark;--ink:#1c1e21;--soft:#5b6068;--page:#f4f5f7;--card:#fff;--line:#b9bec6;\
        --act:#1f5fd0;--on:#fff;--bad:#a61b1b;--badpage:#fdecec}
        @media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a6acb5;--page:#15171a;--card:#1f2226;\
        --line:#565c66;--act:#8ab4ff;--on:#0d1420;--bad:#ffb3b3;--badpage:#3a1a1a}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
        main{max-width:26rem;margin:0 auto;padding:1.5rem 1rem 3rem}
        main>div{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem}
        header{padding:.25rem 0 1rem;font-weight:600}
        h1{font-size:1.35rem;line-height:1.25;margin:0 0 .75rem}
        h2{font-size:1.05rem;margin:1.25rem 0 .5rem}
        p{margin:0 0 .75rem}
        label{display:block;margin:.75rem 0 .25rem;font-weight:600}
        input{width:100%;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);\
        border-radius:.5rem;padding:.65rem .75rem}
        input[type=checkbox]{width:auto;margin-right:.5rem}
        .row{font-weight:400;margin:.35rem 0}
        input.code{font:1.4rem/1.3 ui-monospace,monospace;letter-spacing:.12em;text-transform:uppercase}
        button{display:block;width:100%;min-height:2.75rem;margin:1rem 0 0;font:inherit;font-weight:600;\
        border-radius:.5rem;border:1px solid var(--line);background:transparent;color:inherit;cursor:pointer}
        button.primary{background:var(--act);border-color:var(--act);color:var(--on)}
        button.plain{border:0;text-decoration:underline;font-weight:400;width:auto;margin:0}
        input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--act);outline-offset:2px}
        a{color:var(--act)}
        dl{margin:.75rem 0}
        dt{color:var(--soft);font-size:.9rem}
        dd{margin:0 0 .6rem;overflow-wrap:anywhere}
        dd.code{font:1.4rem/1.3 ui-monospace,monospace;letter-spacing:.12em}
        .note{color:var(--soft)}
        .problem{background:var(--badpage);color:var(--bad);border:1px solid;border-radius:.5rem;padding:.6rem .75rem}
        """.utf8
    )

    /// The sheet's name in a content security policy.
    static let source = "'sha256-\(Base64.encode(Digest.sha256(sheet)))'"
}
