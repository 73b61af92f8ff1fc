// TLSDirectives.swift - transport encryption. Files are volatile: setting the same name again loads them anew.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let tls: [Directive] = [
        .integer("tls-port", 0, .port) { $0.tlsPort = $1 },
        .boolean("tls-cluster", false) { $0.tlsCluster = $1 },
        .boolean("tls-replication", false) { $0.tlsReplication = $1 },
        .choice("tls-auth-clients", TLSClientAuthentication.yes) { $0.tlsAuthClients = $1 },
        .name("tls-auth-clients-user", of: ["CN": 1, "URI": 2, "off": 0], default: 0),
        .boolean("tls-prefer-server-ciphers", false) { $0.tlsPreferServerCiphers = $1 },
        .boolean("tls-session-caching", true) { $0.tlsSessionCaching = $1 },
        .integer("tls-session-cache-size", 20_480, .int32) { $0.tlsSessionCacheSize = $1 },
        .integer("tls-session-cache-timeout", 300, .int32) { $0.tlsSessionCacheTimeoutSeconds = $1 },
        .integer("tls-auto-reload-interval", 0, .int32) { $0.tlsAutoReloadIntervalSeconds = $1 },
        .optionalText("tls-cert-file", .volatile),
        .optionalText("tls-key-file", .volatile),
        .optionalText("tls-key-file-pass", .sensitive),
        .optionalText("tls-client-cert-file", .volatile),
        .optionalText("tls-client-key-file", .volatile),
        .optionalText("tls-client-key-file-pass", .sensitive),
        .optionalText("tls-dh-params-file", .volatile),
        .optionalText("tls-ca-cert-file", .volatile),
        .optionalText("tls-ca-cert-dir", .volatile),
        .optionalText("tls-protocols"),
        .optionalText("tls-ciphers"),
        .optionalText("tls-ciphersuites"),
    ]
}
