// ConfigNumberTests.swift - numbers in configuration text.
import Testing

@testable import Engine

@Suite struct ConfigNumberTests {
}
