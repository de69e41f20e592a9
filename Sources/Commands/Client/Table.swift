/// Rows of cells under headings, laid out in columns.
struct Table {
    private let headings: [String]
    private var rows: [[String]] = []

    /// A table with these headings; the last column takes what room is left.
    init(_ headings: String...) {
        self.headings = headings
    }

    /// Adds a row; each cell becomes one safe line.
    mutating func add(_ cells: String...) {
        precondition(cells.count == headings.count, "a row has a cell for every heading")
        rows.append(cells.map { VisibleText.line($0) })
    }

    /// The lines, each at most `width` characters when a width is given.
    func lines(width: Int? = nil) -> [String] {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.reduce(0) { max($0, $1[column].count) } }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let isLast = column == row.count - 1
                line += cell
                if !isLast { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return width.map { VisibleText.cut(line, to: $0) } ?? line
        }
    }
}
