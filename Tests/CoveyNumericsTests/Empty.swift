import Testing

@testable import CoveyNumerics
