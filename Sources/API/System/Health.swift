import Bytes
import Core
import HTTP

extension Endpoints {
    /// Says that the process answers: `GET /health`.
    func health(_ request: HTTPRequest) async throws -> HTTPResponse {
        .json(200, healthDocument)
    }

    /// Says whether the process can serve: `GET /ready`; without Redis it serves more slowly, without PostgreSQL not.
    func ready(_ request: HTTPRequest) async throws -> HTTPResponse {
        let database = await services.health.isDatabaseReady()
        let queue = await services.health.isQueueReady()
        return .json(
            database ? 200 : 503,
            document { writer in
                writer.beginObject()
                writer.member("status", database ? (queue ? "ready" : "degraded") : "unavailable")
                writer.member("database", database)
                writer.member("queue", queue)
                writer.endObject()
            }
        )
    }

    /// The process's metrics in Prometheus text form: `GET /metrics`.
    func metrics(_ request: HTTPRequest) async throws -> HTTPResponse {
        var response = HTTPResponse(status: 200, body: .bytes(await services.health.metrics()))
        response.headers.append(name: "content-type", value: "text/plain; version=0.0.4; charset=utf-8")
        return response
    }

    /// The description of this interface: `GET /openapi.json`.
    func openAPI(_ request: HTTPRequest) async throws -> HTTPResponse {
        .json(200, services.settings.openAPI)
    }
}
