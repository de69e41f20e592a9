import Bytes
import Core

/// Encodes a page of a listing: `{"items": […], "next_cursor": …}`.
func encodePage<Value>(
    _ page: Page<Value>,
    cursor: (Value) -> String,
    encode: (Value, inout JSONWriter) -> Void
) -> [UInt8] {
    var writer = JSONWriter(reserving: 512 * max(1, page.items.count))
    writer.beginObject()
    writer.key("items")
    writer.beginArray()
    for item in page.items { encode(item, &writer) }
    writer.endArray()
    writer.member("next_cursor", page.hasMore ? page.items.last.map(cursor) : nil)
    writer.endObject()
    return writer.bytes
}

/// Encodes one value as a document.
func document(_ encode: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter(reserving: 512)
    encode(&writer)
    return writer.bytes
}
