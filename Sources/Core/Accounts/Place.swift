package import Bytes
import Glibc

/// Where an address is, about.
package struct Place: Sendable, Equatable {
    /// Two capital letters of ISO 3166-1.
    package var country: String?
    package var position: Position?

    /// Describes a place.
    package init(country: String?, position: Position?) {
        self.country = country
        self.position = position
    }
}

/// A point on the earth, in degrees.
package struct Position: Sendable, Equatable {
    package var latitude: Double
    package var longitude: Double

    /// Names a point; nil for what is none.
    package init?(latitude: Double, longitude: Double) {
        guard (-90.0...90.0).contains(latitude), (-180.0...180.0).contains(longitude) else { return nil }
        self.latitude = latitude
        self.longitude = longitude
    }

    /// How far another point is along the surface, by the law of haversines on a sphere.
    package func kilometres(to other: Position) -> Double {
        let radians = Double.pi / 180
        let north = sin((other.latitude - latitude) * radians / 2)
        let east = sin((other.longitude - longitude) * radians / 2)
        let shrink = cos(latitude * radians) * cos(other.latitude * radians)
        let chord = north * north + shrink * east * east
        return 2 * Self.radius * asin(min(1, chord.squareRoot()))
    }

    private static let radius = 6371.0
}

/// Two sign-ins of one person that are too far apart for the time between them.
package struct ImpossibleJourney: Sendable, Equatable {
    package var kilometres: Int
    package var minutes: Int
    /// The sign-in that it would have begun at.
    package var start: SignInID

    /// Faster than a person travels by the fastest airliner.
    static let fastest = 1_000.0
    /// What is nearer may be one place: such files are wrong by a few hundred kilometres, and networks move people.
    static let nearest = 500.0

    /// The journey from an earlier sign-in, when nobody can have made it.
    package init?(
        from start: SignInID,
        at begun: Timestamp,
        _ position: Position,
        to end: Position,
        at ended: Timestamp
    ) {
        let distance = position.kilometres(to: end)
        let minutes = max(0, (ended - begun).components.seconds / 60)
        guard distance > Self.nearest, distance > Self.fastest * Double(minutes) / 60 else { return nil }
        kilometres = Int(distance)
        self.minutes = Int(minutes)
        self.start = start
    }
}
