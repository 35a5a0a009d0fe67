// swift-tools-version:6.2
import PackageDescription

// omp.h of FAISS's headers comes with gcc; the serial OpenBLAS is the one that is linked in (see Makefile).
let gccInclude = "/usr/lib/gcc/x86_64-linux-gnu/12/include"
let openblasInclude = "/usr/include/x86_64-linux-gnu/openblas-serial"
let gccLibraries = "/usr/lib/gcc/x86_64-linux-gnu/12"
let openblas = "/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.a"
let faiss = "/usr/lib/x86_64-linux-gnu/libfaiss.a"

// What finds a stack that was written over, copies that are too long, and jumps to where none may lead.
let hardened = ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fcf-protection=full"]
let optimised: [CSetting] = [
    .unsafeFlags(["-O3", "-ffp-contract=off", "-fvisibility=hidden", "-I", openblasInclude] + hardened)
]
let native: [LinkerSetting] = [
    .unsafeFlags([
        faiss, openblas,
        "-L\(gccLibraries)", "-lstdc++", "-lm",
        // A serial OpenBLAS is not safe to call from several threads without this: see blas_memory.c.
        "-Xlinker", "--wrap=blas_memory_alloc", "-Xlinker", "--wrap=blas_memory_free",
        // OpenBLAS asks the environment which loops to use: see instructions.c.
        "-Xlinker", "--wrap=getenv",
        // Memory that the system refuses in a parallel region of FAISS: see spare_memory.h.
        "-Xlinker", "--wrap=_Znwm", "-Xlinker", "--wrap=_Znam", "-Xlinker", "--wrap=posix_memalign",
        "-Xlinker", "--wrap=_ZdlPv", "-Xlinker", "--wrap=_ZdaPv",
        "-Xlinker", "--wrap=_ZdlPvm", "-Xlinker", "--wrap=_ZdaPvm",
    ])
]

/// A stage of the road: a library target and its tests.
func stage(_ name: String, _ dependencies: [Target.Dependency]) -> [Target] {
    [
        .target(name: name, dependencies: dependencies),
        .testTarget(
            name: "\(name)Tests", dependencies: [.byName(name: name)], path: "Tests/\(name)Tests",
            linkerSettings: native),
    ]
}

let package = Package(
    name: "covey",
    products: [.library(name: "covey", type: .dynamic, targets: ["CoveyABI"])],
    targets: [
        .systemLibrary(name: "CCovey", path: "include"),
        .target(name: "CCoveyKernels", cSettings: optimised),
        .target(
            name: "CCoveyDefaults",
            cSettings: [.headerSearchPath("../../include"), .unsafeFlags(["-O3", "-fvisibility=hidden"] + hardened)]),
        .target(
            name: "CFaissShim",
            cSettings: [.unsafeFlags(["-O3", "-fvisibility=hidden"] + hardened)],
            cxxSettings: [
                .unsafeFlags(
                    ["-O3", "-fvisibility=hidden", "-idirafter", gccInclude, "-I", openblasInclude] + hardened)
            ]),
        .target(
            name: "CoveyABI",
            dependencies: [
                "CCovey", "CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics", "CoveySequences",
                "CoveyEncoder",
                "CoveyHybrid", "CoveyNeighbors", "CoveyClustering", "CoveyRisk", "CoveyRules", "CoveyEngine",
                "CCoveyKernels", "CCoveyDefaults",
            ],
            linkerSettings: native),
    ]
        + stage("CoveyRuntime", ["CCoveyKernels"])
        + [.target(name: "CoveyTables", dependencies: ["CoveyRuntime"])]
        + stage("CoveyFiles", ["CoveyRuntime"])
        + stage("CoveyNumerics", ["CoveyRuntime", "CoveyTables", "CCoveyKernels"])
        + stage("CoveySequences", ["CoveyRuntime", "CoveyTables"])
        + stage(
            "CoveyEncoder",
            ["CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics", "CoveySequences", "CCoveyKernels"])
        + stage("CoveyHybrid", ["CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics"])
        + stage("CoveyNeighbors", ["CoveyRuntime", "CoveyTables", "CoveyNumerics", "CCoveyKernels", "CFaissShim"])
        + stage(
            "CoveyClustering",
            ["CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics", "CoveyNeighbors", "CCoveyKernels"])
        + stage(
            "CoveyRisk",
            [
                "CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics", "CoveySequences", "CoveyHybrid",
                "CoveyNeighbors", "CoveyClustering",
            ])
        + stage("CoveyRules", ["CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics", "CCoveyKernels"])
        + stage(
            "CoveyEngine",
            [
                "CoveyRuntime", "CoveyTables", "CoveyFiles", "CoveyNumerics", "CoveySequences", "CoveyEncoder",
                "CoveyHybrid", "CoveyClustering", "CoveyRisk", "CoveyRules",
            ]),
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
