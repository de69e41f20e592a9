import API
import Core
import Egress
import Mail
import Operations
import Platform
import Transport

/// The ways by which letters leave, as the settings name them.
struct OutboxPlan: Sendable {
    private let mail: (server: MailServer, sender: MailSender, caFile: String?)?
    private let webhook: (endpoint: ModelEndpoint, key: WebhookKey)?
    private let publicURL: String

    /// Checks the settings; what is wrong is said without the secrets in them.
    init(_ configuration: Configuration, _ hosts: ModelHosts, publicURL: String) throws {
        self.publicURL = publicURL
        if let url = configuration.smtpURL {
            guard let server = MailServer(url.reveal()) else {
                throw CommandFailure(
                    "ERRAND_SMTP_URL must look like smtp://[USER:PASSWORD@]HOST[:PORT] or the same with smtps, with %XX "
                        + "for signs that a URL cannot hold"
                )
            }
            guard let text = configuration.mailFrom, let sender = MailSender(text) else {
                throw CommandFailure("ERRAND_MAIL_FROM must be an address, or a name and <ADDRESS>")
            }
            mail = (server, sender, configuration.smtpCA)
        } else {
            mail = nil
        }
        if let url = configuration.webhookURL {
            guard let key = configuration.webhookSecret.flatMap({ WebhookKey($0.reveal()) }) else {
                throw CommandFailure("ERRAND_WEBHOOK_SECRET must be whsec_ and 24 to 64 bytes in Base64")
            }
            do throws(ModelEndpointError) {
                webhook = (try hosts.webhook(url.reveal()), key)
            } catch {
                throw CommandFailure("ERRAND_WEBHOOK_URL \(error)")
            }
        } else {
            webhook = nil
        }
    }

    /// The channels that are set.
    var channels: Set<LetterChannel> {
        Set((mail == nil ? [] : [.mail]) + (webhook == nil ? [] : [.webhook]))
    }

    /// The ways themselves, for the loop that sends.
    func ways(on loop: EventLoop, tls: TLSClientContext) throws -> OutboxWays {
        var ways = OutboxWays(publicURL: publicURL)
        if let mail {
            let carrier = MailCarrier(mail.server, sender: mail.sender.address, caFile: mail.caFile)
            ways.mail = (carrier, mail.sender)
        }
        if let webhook {
            ways.webhook = (try WebhookCarrier(webhook.endpoint, loop: loop, tls: tls), webhook.key)
        }
        return ways
    }
}
