// Settings+ValueLimits.swift - the thresholds that values are built to when they come from a payload or a file.
package import Keyspace
internal import Structures

extension Settings {
    /// A type adds its thresholds here and in `ValueLimits`.
    package var valueLimits: ValueLimits {
        var limits = ValueLimits()
        limits.stringByteCountMax = protoMaxBulkLength
        limits.list = ListLimits(fill: listMaxListpackSize)
        limits.listCompressDepth = listCompressDepth
        return limits
    }
}
