/// What an attempt has asked of the model API, for its receipt.
package struct ModelBrokerStatistics: Sendable, Equatable {
    /// Requests that were passed on.
    package var requests = 0
    /// Requests that the broker itself refused.
    package var refusals = 0
    /// Requests to which the model API gave no usable answer.
    package var failures = 0
    /// Body bytes to the model API.
    package var bytesSent: Int64 = 0
    /// Body bytes from the model API.
    package var bytesReceived: Int64 = 0
    /// Tokens as the model API counts them, cached ones included.
    package var inputTokens: Int64 = 0
    package var outputTokens: Int64 = 0
}
