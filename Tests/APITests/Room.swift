enum APITestsRoom {}
