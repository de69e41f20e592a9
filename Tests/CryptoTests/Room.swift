enum CryptoTestsRoom {}
