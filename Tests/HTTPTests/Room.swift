enum HTTPTestsRoom {}
