import Testing

@testable import CoveyEngine
