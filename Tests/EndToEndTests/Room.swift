enum EndToEndTestsRoom {}
