enum PlatformTestsRoom {}
