enum LogTestsRoom {}
