enum EgressTestsRoom {}
