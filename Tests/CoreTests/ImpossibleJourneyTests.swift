import Bytes
import Testing

@testable import Core

@Suite struct ImpossibleJourneyTests {
    private static let start = Timestamp(milliseconds: 1_790_000_000_000)

    private static func position(_ latitude: Double, _ longitude: Double) throws -> Position {
        try #require(Position(latitude: latitude, longitude: longitude))
    }

    /// From tables of great-circle distances, to the kilometre on a sphere of 6371 km.
    @Test(arguments: [
        (0.0, 0.0, 0.0, 180.0, 20_015), (90.0, 0.0, -90.0, 0.0, 20_015), (0.0, 0.0, 0.0, 1.0, 111),
        (36.12, -86.67, 33.94, -118.40, 2_886), (52.5, 13.4, 52.5, 13.4, 0), (0.0, 179.5, 0.0, -179.5, 111),
    ])
    func `distances go along the surface, over the date line too`(
        latitude: Double,
        longitude: Double,
        toLatitude: Double,
        toLongitude: Double,
        kilometres: Int
    ) throws {
        let (from, to) = (try Self.position(latitude, longitude), try Self.position(toLatitude, toLongitude))
        #expect(abs(from.kilometres(to: to) - Double(kilometres)) < 1.5)
        #expect(abs(from.kilometres(to: to) - to.kilometres(to: from)) < 0.001)
    }

    @Test(arguments: [(91.0, 0.0), (0.0, 181.0), (.nan, 0.0), (0.0, .infinity)])
    func `what is nowhere is no position`(latitude: Double, longitude: Double) {
        #expect(Position(latitude: latitude, longitude: longitude) == nil)
    }

    /// One degree on the equator is 111.2 km.
    @Test(arguments: [
        (10.0, 60, true), (10.0, 66, true), (10.0, 67, false), (4.0, 0, false), (5.0, 0, true), (180.0, 1_300, false),
    ])
    func `nobody travels faster than an airliner, and short ways are no ways`(
        degrees: Double,
        minutes: Int,
        isImpossible: Bool
    ) throws {
        let journey = ImpossibleJourney(
            from: SignInID(at: Self.start),
            at: Self.start,
            try Self.position(0, 0),
            to: try Self.position(0, degrees),
            at: Self.start.adding(.seconds(60 * minutes))
        )
        #expect((journey != nil) == isImpossible)
        #expect(journey.map(\.minutes) == (isImpossible ? minutes : nil))
    }

    @Test func `a clock that was set back makes a journey no longer`() throws {
        let journey = ImpossibleJourney(
            from: SignInID(at: Self.start),
            at: Self.start,
            try Self.position(0, 0),
            to: try Self.position(0, 90),
            at: Self.start.adding(.seconds(-1_000_000))
        )
        #expect(journey?.minutes == 0)
    }
}
