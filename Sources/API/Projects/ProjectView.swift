import Bytes
import Core

/// The one JSON form of a project.
enum ProjectView {
    static func write(_ project: Project, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", project.id.description)
        writer.member("team_id", project.teamID.description)
        writer.member("name", project.name)
        writer.member("policy", project.policy.rawValue)
        writer.member("home_worker", project.homeWorker?.description)
        writer.member("created_at", project.createdAt)
        writer.member("updated_at", project.updatedAt)
        writer.endObject()
    }
}
