import Core
import HTTP
import Link

extension Endpoints {
    /// The control socket of a worker: `GET /v1/worker-link/control`.
    func workerControlLink(_ request: HTTPRequest) async throws -> HTTPResponse {
        let worker = try await linkedWorker(request)
        let limits = WebSocketLimits(maximumMessage: LinkProtocol.controlFrameBytes)
        return HTTPResponse(
            status: 101,
            body: .webSocket(subprotocol: LinkProtocol.subprotocol, limits: limits) { [services] channel in
                await ControlSession(services: services, worker: worker, channel: channel).run()
            }
        )
    }

    /// The bulk socket of a worker: `GET /v1/worker-link/bulk`.
    func workerBulkLink(_ request: HTTPRequest) async throws -> HTTPResponse {
        let worker = try await linkedWorker(request)
        let limits = WebSocketLimits(maximumMessage: LinkProtocol.bulkFrameBytes)
        return HTTPResponse(
            status: 101,
            body: .webSocket(subprotocol: LinkProtocol.subprotocol, limits: limits) { [services, logPorts] channel in
                await BulkSession(services: services, ports: logPorts, worker: worker, channel: channel).run()
            }
        )
    }

    private func linkedWorker(_ request: HTTPRequest) async throws -> WorkerRecord {
        let worker = try await authenticateWorker(request)
        guard request.offeredSubprotocols.contains(LinkProtocol.subprotocol) else {
            throw ProblemError(.linkVersionRefused)
        }
        return worker
    }
}
