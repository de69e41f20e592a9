import CCurl
import Core

/// One letter handed to a mail server by libcurl, on a thread of its own; blocks until it is over.
enum MailConversation {
    /// What a conversation needs to know.
    struct Task: Sendable {
        let server: MailServer
        let sender: String
        let caFile: String?
        /// The name that we say hello with.
        let name: String
    }

    /// The whole of it, from the name's address to the last answer; less than a server that stops is waited for.
    static let patience = 20
    private static let connecting = 10
    /// Of what a server says, more than any answer to a mail takes.
    private static let heardBytes = 16 << 10

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// What goes out and what came back; the callbacks of one conversation have it to themselves.
    private final class Exchange {
        var rest: ArraySlice<UInt8>
        var heard: [UInt8] = []

        init(_ bytes: [UInt8]) { rest = bytes[...] }
    }

    static func run(_ task: Task, to recipient: String, _ message: [UInt8]) -> Carriage {
        guard isReady, let handle = unsafe curl_easy_init() else { return .failed("libcurl: out of memory") }
        defer { unsafe curl_easy_cleanup(handle) }
        guard let recipients = unsafe curl_slist_append(nil, "<\(recipient)>") else {
            return .failed("libcurl: out of memory")
        }
        defer { unsafe curl_slist_free_all(recipients) }
        let exchange = Exchange(message)
        return withExtendedLifetime(exchange) {
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { complaint in
                unsafe complaint.initialize(repeating: 0)
                guard let place = complaint.baseAddress,
                    unsafe set(handle, task, recipients, message.count, exchange, place)
                else { return .failed("libcurl refuses a setting") }
                let result = unsafe curl_easy_perform(handle)
                var code = 0
                _ = unsafe ccurl_response_code(handle, &code)
                return judge(result, code, unsafe String(cString: place), answer(code, in: exchange.heard))
            }
        }
    }

    /// Everything that matters is said here, whatever the environment of this process says.
    private static func set(
        _ handle: UnsafeMutableRawPointer,
        _ task: Task,
        _ recipients: UnsafeMutablePointer<curl_slist>,
        _ size: Int,
        _ exchange: Exchange,
        _ complaint: UnsafeMutablePointer<CChar>
    ) -> Bool {
        let server = task.server
        let context = unsafe Unmanaged.passUnretained(exchange).toOpaque()
        // A server on this machine may have a certificate for another name, or none.
        let encryption = server.isLocal ? CURLUSESSL_TRY : CURLUSESSL_ALL
        var results: [CURLcode] = unsafe [
            ccurl_set_text(handle, CURLOPT_URL, "\(server.shown)/\(task.name)"),
            ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
            ccurl_set_text(handle, CURLOPT_PROXY, ""),
            ccurl_set_number(handle, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)),
            ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1),
            ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT, connecting),
            ccurl_set_number(handle, CURLOPT_TIMEOUT, patience),
            ccurl_set_number(handle, CURLOPT_USE_SSL, Int(encryption.rawValue)),
            ccurl_set_number(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            ccurl_set_number(handle, CURLOPT_SSL_VERIFYPEER, 1),
            ccurl_set_number(handle, CURLOPT_SSL_VERIFYHOST, 2),
            ccurl_set_text(handle, CURLOPT_MAIL_FROM, "<\(task.sender)>"),
            ccurl_set_list(handle, CURLOPT_MAIL_RCPT, recipients),
            ccurl_set_number(handle, CURLOPT_UPLOAD, 1),
            ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(size)),
            ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, complaint),
            ccurl_set_transfer(handle, CURLOPT_READFUNCTION, read),
            ccurl_set_pointer(handle, CURLOPT_READDATA, context),
            ccurl_set_transfer(handle, CURLOPT_HEADERFUNCTION, hear),
            ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context),
            ccurl_set_transfer(handle, CURLOPT_WRITEFUNCTION, hear),
            ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context),
        ]
        if let user = server.user, let password = server.password?.revealText() {
            unsafe results.append(ccurl_set_text(handle, CURLOPT_USERNAME, user))
            unsafe results.append(ccurl_set_text(handle, CURLOPT_PASSWORD, password))
        }
        if let file = task.caFile { unsafe results.append(ccurl_set_text(handle, CURLOPT_CAINFO, file)) }
        return results.allSatisfy { $0 == CURLE_OK }
    }

    private static let read: ccurl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
        let part = exchange.rest.prefix(size * count)
        exchange.rest = exchange.rest.dropFirst(part.count)
        for (index, byte) in part.enumerated() { unsafe bytes[index] = CChar(bitPattern: byte) }
        return part.count
    }

    private static let hear: ccurl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
        let room = max(0, heardBytes - exchange.heard.count)
        for index in 0..<min(size * count, room) { exchange.heard.append(UInt8(bitPattern: unsafe bytes[index])) }
        return size * count
    }

    /// The last answer with the code that decided: after a refusal the server also says goodbye.
    static func answer(_ code: Int, in heard: [UInt8]) -> String {
        let lines = heard.split { $0 == 0x0a || $0 == 0x0d }.map { String(decoding: $0, as: UTF8.self) }
        return lines.last { $0.hasPrefix("\(code)") } ?? lines.last ?? ""
    }

    /// What the end of a conversation means.
    ///
    /// Only what was said of the recipient or of the message is for good: a sign-in or a sender that the server refuses
    /// is a setting, which the administrator mends while the letter waits.
    static func judge(_ result: CURLcode, _ code: Int, _ complaint: String, _ said: String) -> Carriage {
        if result == CURLE_OK { return .taken(said) }
        let isAnswer = said.hasPrefix("\(code)") && code >= 400
        let isAboutMessage =
            complaint.hasPrefix("RCPT failed") || complaint.hasPrefix("DATA failed")
            // The end of the message; a greeting that is no welcome is about us, and passes.
            || result == CURLE_WEIRD_SERVER_REPLY && !complaint.hasPrefix("Got unexpected smtp-server response")
        if isAnswer, isAboutMessage, (500...599).contains(code) { return .refused(said) }
        let reason = complaint.isEmpty ? unsafe String(cString: curl_easy_strerror(result)) : complaint
        return .failed(isAnswer ? "\(reason): \(said)" : reason)
    }
}
