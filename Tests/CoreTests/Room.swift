enum CoreTestsRoom {}
