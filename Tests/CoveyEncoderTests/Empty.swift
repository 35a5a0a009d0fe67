import Testing

@testable import CoveyEncoder
