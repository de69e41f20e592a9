enum LayeringTestsRoom {}
