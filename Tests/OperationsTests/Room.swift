enum OperationsTestsRoom {}
