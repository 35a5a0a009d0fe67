import Testing

@testable import CoveySequences
