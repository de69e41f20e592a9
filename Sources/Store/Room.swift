enum StoreRoom {}
