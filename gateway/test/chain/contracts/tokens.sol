// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// A dollar of 6 decimals that is paid by signed authorizations (EIP-3009), as USDC is. Anyone may mint.
contract SixDecimalToken is ERC20, ERC3009 {
    string public version;

    constructor(string memory name, string memory symbol, string memory version_)
        ERC20(name, symbol)
        EIP712(name, version_)
    {
        version = version_;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// A dollar of 18 decimals that knows only allowances, as USDT on BNB Smart Chain. Anyone may mint.
contract EighteenDecimalToken is ERC20 {
    constructor(string memory name, string memory symbol) ERC20(name, symbol) {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
