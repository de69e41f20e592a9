// swift-tools-version: 6.3
import PackageDescription

/// The same for every Swift target: the language of Swift 7, memory safety explicit, no warning survives.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableExperimentalFeature("Lifetimes"),
]

/// A room imports only rooms named here; `Tests/LayeringTests` holds the import lines to `docs/architecture.md`.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "errand",
    products: [
        .executable(name: "errand", targets: ["errand"]),
        .executable(name: "errand-sandbox", targets: ["errand-sandbox"]),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(
            name: "CMaxMindDB",
            pkgConfig: "libmaxminddb",
            providers: [.apt(["libmaxminddb-dev"])]
        ),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        room("Bytes", []),
        room("Core", ["Bytes"]),
        room("Crypto", ["Bytes", "COpenSSL", "CArgon2"]),
        room("Platform", ["CLinux", "Bytes"]),
        room("HTTP", ["Bytes", "Core"]),
        room("Transport", ["Bytes", "Platform", "HTTP", "COpenSSL"]),
        room("Link", ["Bytes", "Core"]),
        room("Auth", ["Bytes", "Core", "Crypto"]),
        room("Store", ["Bytes", "Core", "Platform", "CPostgres", "CZstd"]),
        room("Queue", ["Bytes", "Core", "Platform", "CHiredis"]),
        room("Log", ["Bytes", "Core", "Crypto"]),
        room("API", ["Bytes", "Core", "Crypto", "Platform", "HTTP", "Link", "Auth", "Log"]),
        room("Mail", ["Core", "Platform", "CCurl"]),
        room("SandboxSpec", []),
        room("Sandbox", ["Bytes", "Core", "Platform", "CLinux", "SandboxSpec", "CSeccomp"]),
        room("Egress", ["Bytes", "Core", "Platform", "HTTP", "Transport"]),
        room("Agents", ["Bytes", "Core", "Platform"]),
        room(
            "Worker",
            ["Bytes", "Core", "Crypto", "Platform", "HTTP", "Transport", "Link", "Sandbox", "Egress", "Agents"]
        ),
        room("Operations", ["Bytes", "Core", "Platform", "CMaxMindDB"]),
        room("Standin", ["Bytes", "Core", "Platform", "HTTP", "Transport"]),
        room(
            "Commands",
            [
                "Bytes", "Core", "Crypto", "Platform", "HTTP", "Transport", "Auth", "Store", "Queue", "Log", "API",
                "Mail", "Sandbox", "Egress", "Worker", "Operations", "Standin",
            ]
        ),
        .executableTarget(name: "errand", dependencies: ["Commands"], swiftSettings: settings),
        .executableTarget(
            name: "errand-sandbox",
            dependencies: ["SandboxSpec", "CLinux"],
            // Static: fewer pages to copy for each sandbox, and no library path that root's process trusts.
            swiftSettings: settings + [.unsafeFlags(["-static-stdlib"])],
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]
        ),
        room("TestSupport", ["Bytes", "Core", "Crypto", "Platform", "HTTP", "Transport"]),

        // What a hostile program tries, run inside a sandbox and, as the control, outside.
        .executableTarget(
            name: "sandbox-probe",
            path: "Tests/SandboxProbe",
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]
        ),
        tests("LayeringTests", []),
        tests("BytesTests", ["Bytes"]),
        tests("CoreTests", ["Core", "Bytes"]),
        tests("CryptoTests", ["Crypto", "Bytes"]),
        tests("PlatformTests", ["Platform", "Bytes"]),
        tests("HTTPTests", ["HTTP", "Bytes", "Core"]),
        tests("TransportTests", ["Transport", "HTTP", "Platform", "Bytes", "TestSupport"]),
        tests("LinkTests", ["Link", "Core", "Bytes"]),
        tests("AuthTests", ["Auth", "Crypto", "Core", "Bytes", "TestSupport"]),
        tests("StoreTests", ["Store", "Core", "Bytes", "Crypto", "Platform", "TestSupport"]),
        tests("QueueTests", ["Queue", "Core", "Bytes", "Platform", "TestSupport"]),
        tests("MailTests", ["Mail", "Core", "CCurl"]),
        tests("LogTests", ["Log", "Core", "Bytes", "Crypto", "TestSupport"]),
        tests(
            "APITests",
            [
                "API", "Core", "Bytes", "Crypto", "HTTP", "Auth", "Link", "Log", "Platform", "Queue", "Store",
                "TestSupport",
            ]
        ),
        tests("SandboxTests", ["Sandbox", "SandboxSpec", "CSeccomp", "Bytes", "Platform", "TestSupport"]),
        tests("EgressTests", ["Egress", "Core", "Bytes", "Platform", "HTTP", "Transport", "TestSupport"]),
        tests(
            "AgentsTests",
            ["Agents", "Core", "Bytes", "Platform", "HTTP", "Transport", "Egress", "Standin", "TestSupport"]
        ),
        tests("StandinTests", ["Standin", "Core", "Bytes", "Platform", "HTTP", "Transport", "TestSupport"]),
        tests(
            "WorkerTests",
            [
                "Worker", "Link", "Agents", "Core", "Bytes", "Crypto", "HTTP", "Platform", "Sandbox", "TestSupport",
                "Transport",
            ]
        ),
        tests("OperationsTests", ["Operations", "Core", "Bytes", "Platform", "TestSupport"]),
        tests(
            "CommandsTests",
            [
                "Commands", "Auth", "Core", "Bytes", "Crypto", "Log", "Operations", "Platform", "HTTP", "Transport",
                "TestSupport",
            ]
        ),
        tests("EndToEndTests", ["Bytes", "Core", "Crypto", "Platform", "HTTP", "Transport", "TestSupport"]),
    ]
)
