enum StoreTestsRoom {}
