import Testing

@testable import CoveyRules
