import CMaxMindDB
package import Core
import Glibc
import Platform

/// A file in MaxMind's format (MMDB) that says where networks are.
package struct PlaceFile: PlaceBook {
    private let path: String

    /// Looks at the file, so that a wrong one is refused at start and not at somebody's sign-in.
    package init(_ path: String) throws {
        self.path = path
        let map = try PlaceMap(path)
        guard map.knowsPlaces else { throw PlaceFileError("\(path): it does not say where networks are") }
    }

    /// The place of a numeric address; the file is opened for each look-up, so a new one may take its place.
    package func place(of address: String) throws -> Place? { try PlaceMap(path).place(of: address) }
}

/// A file that cannot be read as a map of networks.
package struct PlaceFileError: Error, CustomStringConvertible {
    /// What is wrong, for the log.
    package let description: String

    init(_ description: String) { self.description = description }
}

/// An open file.
@safe private struct PlaceMap: ~Copyable {
    private let path: String
    private let map: UnsafeMutablePointer<MMDB_s>

    init(_ path: String) throws {
        self.path = path
        let map = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        let status = unsafe MMDB_open(path, UInt32(MMDB_MODE_MMAP), map)
        guard status == MMDB_SUCCESS else {
            unsafe map.deallocate()
            throw PlaceFileError("\(path): \(Self.text(status))")
        }
        unsafe self.map = map
    }

    deinit {
        unsafe MMDB_close(map)
        unsafe map.deallocate()
    }

    /// Whether it is of countries or cities, and not of something else about networks.
    var knowsPlaces: Bool {
        guard let type = unsafe map.pointee.metadata.database_type else { return false }
        let name = unsafe String(cString: type)
        return name.contains("Country") || name.contains("City") || name.contains("Enterprise")
    }

    func place(of address: String) throws -> Place? {
        var (resolved, status): (Int32, Int32) = (0, MMDB_SUCCESS)
        var found = unsafe MMDB_lookup_string(map, address, &resolved, &status)
        // What is no numeric address has no place; nor has an IPv6 address in a file of IPv4 ones.
        if resolved != 0 || status == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR { return nil }
        guard status == MMDB_SUCCESS else { throw PlaceFileError("\(path): \(Self.text(status))") }
        guard unsafe found.found_entry else { return nil }
        let country = unsafe try text(&found.entry, "country", "iso_code")
        let latitude = unsafe try number(&found.entry, "location", "latitude")
        let longitude = unsafe try number(&found.entry, "location", "longitude")
        var position: Position?
        if let latitude, let longitude { position = Position(latitude: latitude, longitude: longitude) }
        return Place(country: country, position: position)
    }

    private func text(_ entry: inout MMDB_entry_s, _ section: String, _ name: String) throws -> String? {
        guard let data = unsafe try value(&entry, section, name),
            unsafe data.type == UInt32(MMDB_DATA_TYPE_UTF8_STRING),
            // A file may say anything: what is no code of a country is none.
            unsafe data.data_size == 2, let start = unsafe data.utf8_string
        else { return nil }
        let code = unsafe UnsafeRawBufferPointer(start: start, count: 2)
        guard unsafe code.allSatisfy({ (0x41...0x5a).contains($0) }) else { return nil }
        return unsafe String(decoding: code, as: UTF8.self)
    }

    private func number(_ entry: inout MMDB_entry_s, _ section: String, _ name: String) throws -> Double? {
        guard let data = unsafe try value(&entry, section, name), unsafe data.type == UInt32(MMDB_DATA_TYPE_DOUBLE)
        else { return nil }
        return unsafe data.double_value
    }

    private func value(_ entry: inout MMDB_entry_s, _ section: String, _ name: String) throws -> MMDB_entry_data_s? {
        var data = unsafe MMDB_entry_data_s()
        let status = unsafe section.withCString { section in
            unsafe name.withCString { name in
                let path = unsafe [UnsafePointer(section), UnsafePointer(name), nil] as [UnsafePointer<CChar>?]
                return unsafe path.withUnsafeBufferPointer { unsafe MMDB_aget_value(&entry, &data, $0.baseAddress) }
            }
        }
        if status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR || status == MMDB_INVALID_LOOKUP_PATH_ERROR {
            return nil
        }
        guard status == MMDB_SUCCESS else { throw PlaceFileError("\(path): \(Self.text(status))") }
        return unsafe data.has_data ? data : nil
    }

    private static func text(_ status: Int32) -> String { unsafe String(cString: MMDB_strerror(status)) }
}
