enum AuthTestsRoom {}
