enum PlatformRoom {}
