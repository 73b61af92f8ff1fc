// RecordSchema.swift - which form the coordinator's records have, as dumps say it in the fact `fog-schema`. Records are
// ordinary hashes whose fields are read by name: those that are missing have their defaults, unknown ones are kept. A
// dump without the fact (an older one, or a stock server's) has the records of schema 0, whose fields are those of 1.
// When a field changes its meaning, raise the version and translate in `RecordIndex.read`. Plain data.

package enum RecordSchema {
    package static let version = 1
}
