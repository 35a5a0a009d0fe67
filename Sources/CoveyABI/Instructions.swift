import CCovey
import CCoveyKernels
import CoveyRuntime

// Section 3 of covey.h: the instructions of the process.

@c @implementation
public func covey_set_instructions(
    _ instructions: Int32, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let set: Int32
        switch instructions {
        case COVEY_INSTRUCTIONS_ALL: set = CK_AMX
        case COVEY_INSTRUCTIONS_AVX2: set = CK_AVX2
        case COVEY_INSTRUCTIONS_NO_AMX: set = CK_AVX512
        default:
            throw CoveyError.invalidArgument(
                "instructions must be one of COVEY_INSTRUCTIONS_ALL, ..._AVX2 and ..._NO_AMX, got \(instructions)")
        }
        switch ck_instructions_limit(set) {
        case CK_INSTRUCTIONS_MISSING:
            throw CoveyError.unsupported("this processor lacks AVX2 or FMA")
        case CK_INSTRUCTIONS_LATE:
            throw CoveyError.invalidArgument(
                "instructions must be set before the first call that takes a context, and only once")
        default: break
        }
    }
}
