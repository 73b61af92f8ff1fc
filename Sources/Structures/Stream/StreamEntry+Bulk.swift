// StreamEntry+Bulk.swift - a stream entry as the reply every command gives it: an array of its identifier and of the
// array of its fields and values, all bulk strings, copied straight from the node into the output. Part of reading a
// stream, same owner and thread; nothing allocated but what the output grows by.
package import Base

extension StreamEntry {
    /// Appends the entry as RESP.
    package func appendReply(to output: inout ByteBuffer) {
        output.append("*2\r\n")
        id.appendBulk(to: &output)
        output.append(UInt8(ascii: "*"))
        output.append(decimal: fieldCount &* 2)
        output.append("\r\n")
        let listEnd = unsafe UnsafePointer(node.base) + node.byteCount
        var fieldOffset = fieldsOffset
        var offset = payloadOffset
        for _ in 0..<fieldCount {
            if hasMasterFields {
                let field = node.piece(at: fieldOffset)
                fieldOffset &+= field.byteCount
                unsafe BulkString.append(field, listEnd: listEnd, to: &output)
            } else {
                let field = node.piece(at: offset)
                offset &+= field.byteCount
                unsafe BulkString.append(field, listEnd: listEnd, to: &output)
            }
            let value = node.piece(at: offset)
            offset &+= value.byteCount
            unsafe BulkString.append(value, listEnd: listEnd, to: &output)
        }
    }
}

extension StreamID {
    /// Appends `ms-seq` as a bulk string.
    package func appendBulk(to output: inout ByteBuffer) {
        output.reserve(64)
        output.append(UInt8(ascii: "$"))
        output.append(decimal: textByteCount)
        output.append("\r\n")
        append(to: &output)
        output.append("\r\n")
    }
}
