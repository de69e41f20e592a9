enum SandboxSpecRoom {}
