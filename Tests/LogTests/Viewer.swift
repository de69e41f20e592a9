import Bytes
import Core
import Log
import Testing

/// A client that holds the stream to its promise: 1...n per attempt, once each, nothing missing at the end.
final class Viewer {
    private(set) var seen: [Int: [UInt64: String]] = [:]
    private(set) var types: [String] = []
    private(set) var position = LogPosition.start
    private(set) var isComplete = false
    private(set) var faults: [String] = []
    private(set) var gaps: [ClosedRange<Int64>] = []
    private(set) var last: JSONValue = .null

    /// Takes one batch, checking each event as it comes.
    func take(_ events: [FollowedEvent], in world: World) {
        for event in events {
            guard let value = try? JSONReader.parse(event.json), let type = value["type"]?.string else {
                faults.append("not JSON: \(String(decoding: event.json, as: UTF8.self))")
                continue
            }
            last = value
            types.append(type)
            if isComplete { faults.append("\(type) after the end") }
            if value["job_id"]?.string != "\(world.job.id)" { faults.append("\(type) of another job") }
            switch type {
            case "job:output": takeOutput(value, event)
            case "reset": takeReset(value, world)
            case "gap":
                gaps.append((value["from"]?.integer ?? 0)...(value["to"]?.integer ?? 0))
                position.seq = UInt64(value["to"]?.integer ?? 0)
            case "job:completed": isComplete = true
            default: break
            }
        }
    }

    /// Everything held against what the world knows to be durable.
    func check(against world: World, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(faults == [], sourceLocation: sourceLocation)
        for (attempt, records) in world.written where attempt >= 1 {
            let durable = world.durable[attempt, default: 0]
            let held = seen[attempt, default: [:]]
            for record in records {
                let text = held[record.seq]
                if Int(record.seq) <= durable, text == nil {
                    Issue.record("missing \(attempt).\(record.seq)", sourceLocation: sourceLocation)
                }
                if let text, text != String(decoding: record.bytes, as: UTF8.self) {
                    Issue.record("wrong bytes in \(attempt).\(record.seq)", sourceLocation: sourceLocation)
                }
            }
        }
    }

    private func takeOutput(_ value: JSONValue, _ event: FollowedEvent) {
        guard let attempt = value["attempt"]?.integer, let seq = value["seq"]?.integer else {
            faults.append("output without position")
            return
        }
        let here = LogPosition(attempt: Int(attempt), seq: UInt64(seq))
        let isFirst = position.attempt == 0 && here == LogPosition(attempt: 1, seq: 1)
        if !isFirst, here != LogPosition(attempt: position.attempt, seq: position.seq + 1) {
            faults.append("\(here) after \(position)")
        }
        if event.position != here { faults.append("event id \(String(describing: event.position)) for \(here)") }
        position = here
        seen[here.attempt, default: [:]][here.seq] = value["data"]?.string ?? ""
    }

    private func takeReset(_ value: JSONValue, _ world: World) {
        let attempt = Int(value["attempt"]?.integer ?? 0)
        let cutAttempt = Int(value["last_durable_attempt"]?.integer ?? 0)
        let cut = Int(value["last_durable"]?.integer ?? -1)
        if cut != world.durable[cutAttempt, default: 0] { faults.append("reset cuts at \(cut)") }
        if attempt == position.attempt { return }
        if attempt != max(position.attempt, 1) + 1 { faults.append("reset to \(attempt) from \(position)") }
        position = LogPosition(attempt: attempt, seq: 0)
    }
}
