import Core
import Link

extension JobResult {
    /// This result within the bounds of the link, whatever a hostile process claimed: an end that the API cannot read
    /// would cut every session that reports it.
    var fitForLink: JobResult {
        var result = self
        result.costMicroUSD = costMicroUSD.map { max(0, $0) }
        result.inputTokens = inputTokens.map { max(0, $0) }
        result.outputTokens = outputTokens.map { max(0, $0) }
        result.turns = turns.map { min(max(0, $0), Int(Int32.max)) }
        result.durationMilliseconds = durationMilliseconds.map { max(0, $0) }
        result.agentVersion = agentVersion?.cut(toBytes: LinkProtocol.nameBytes)
        result.agentSession = agentSession?.cut(toBytes: LinkProtocol.nameBytes)
        result.model = model?.cut(toBytes: LinkProtocol.nameBytes)
        result.isolation = isolation?.cut(toBytes: LinkProtocol.textBytes)
        return result
    }
}
