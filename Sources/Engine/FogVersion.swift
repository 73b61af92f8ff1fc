// FogVersion.swift - what this server says it is. Clients switch features on by the Redis version, so it names the
// release whose commands and replies are answered.

package enum FogVersion {
    package static let fog = "0.1.0"
    package static let redis = "8.2.0"
    /// As three numbers in one, for LOLWUT VERSION and scripts.
    package static let redisNumber = 0x0008_0200
}
