enum SandboxRoom {}
