/// Where a sealed secret belongs: the table, row and column outside of which it does not open.
package struct SecretPlace: Hashable, Sendable, CustomStringConvertible {
    /// The noun's table.
    package let table: String
    /// The row, by its identifier's text form.
    package let row: String
    /// The column, when a row has several secrets.
    package let column: String

    /// Names the secret of a row; the table and the column are words of ours.
    package init<N>(table: StaticString, row: ID<N>, column: StaticString) {
        self.table = "\(table)"
        self.row = row.description
        self.column = "\(column)"
    }

    /// Reads the text form; nil when it has not three plain parts.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isPlain) }) else {
            return nil
        }
        (table, row, column) = (parts[0], parts[1], parts[2])
    }

    /// `table/row/column`, as it is stored.
    package var description: String { "\(table)/\(row)/\(column)" }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }
}
