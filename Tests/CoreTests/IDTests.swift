import Bytes
import Core
import Testing

struct IDTests {
    private let time = Timestamp(milliseconds: 1_800_000_000_123)

    @Test func `an id reads back from its text and its bytes`() throws {
        for _ in 0..<100 {
            let id = JobID(at: time)
            #expect(JobID(id.description) == id)
            #expect(JobID(uuidBytes: id.uuidBytes) == id)
            #expect(id.description.hasPrefix("job_") && id.description.utf8.count == 30)
        }
    }

    @Test func `an id is a UUIDv7 that sorts by time`() {
        let id = JobID(at: time)
        #expect(id.high >> 16 == 1_800_000_000_123)
        #expect(id.high >> 12 & 0xf == 7)
        #expect(id.low >> 62 == 2)
        #expect(id < JobID(at: time.adding(.milliseconds(1))))
    }

    @Test(arguments: [
        "", "job_", "job_01", "usr_01kzzzzzzzzzzzzzzzzzzzzzzz", "job_81kzzzzzzzzzzzzzzzzzzzzzzz",
        "job-01kzzzzzzzzzzzzzzzzzzzzzzz", "job_01kzzzzzzzzzzzzzzzzzzzzzz!", "JOB_01kzzzzzzzzzzzzzzzzzzzzzzz",
    ])
    func `what is no id of the noun is refused`(text: String) {
        #expect(JobID(text) == nil)
        #expect(JobID("job_01kzzzzzzzzzzzzzzzzzzzzzzz") != nil)
    }
}
