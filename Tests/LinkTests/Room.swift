enum LinkTestsRoom {}
