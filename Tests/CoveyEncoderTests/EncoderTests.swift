import CCoveyKernels
import CoveyNumerics
import CoveyRuntime
import CoveySequences
import Testing

@testable import CoveyEncoder

@Suite struct EncoderTests {
    @Test(arguments: Fixture.names, Fixture.instructionSets)
    func equalsPyTorch(name: String, instructionSet: Int32) throws {
        let fixture = try Fixture(name)
        let result = try fixture.encoder(instructionSet: instructionSet).run(fixture.batch)
        let embeddings = largestDifference(result.embeddings, fixture.embeddings)
        let attention = largestDifference(result.attention, fixture.attention)
        #expect(embeddings < 1e-5, "embeddings differ by \(embeddings)")
        #expect(attention < 1e-5, "attention weights differ by \(attention)")
    }
}
