// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CANONICAL_PERMIT2, PermitTransferFrom, SignatureTransferDetails, TestPermit2} from "./permit2.sol";

/// x402's proxy of the scheme `exact`: spends a permit whole, and only towards the signed recipient.
contract TestExactProxy {
    struct Witness {
        address to;
        uint256 validAfter;
    }

    TestPermit2 public constant PERMIT2 = CANONICAL_PERMIT2;
    string public constant WITNESS_TYPE_STRING =
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,uint256 validAfter)";
    bytes32 public constant WITNESS_TYPEHASH = keccak256("Witness(address to,uint256 validAfter)");

    event Settled();

    error InvalidAmount();
    error InvalidDestination();
    error PaymentTooEarly();

    function settle(
        PermitTransferFrom calldata permit,
        address owner,
        Witness calldata witness,
        bytes calldata signature
    ) external {
        require(permit.permitted.amount > 0, InvalidAmount());
        require(witness.to != address(0), InvalidDestination());
        require(block.timestamp >= witness.validAfter, PaymentTooEarly());
        PERMIT2.permitWitnessTransferFrom(
            permit,
            SignatureTransferDetails(witness.to, permit.permitted.amount),
            owner,
            keccak256(abi.encode(WITNESS_TYPEHASH, witness.to, witness.validAfter)),
            WITNESS_TYPE_STRING,
            signature
        );
        emit Settled();
    }
}

/// x402's proxy of the scheme `upto`: the signed facilitator spends at most what the permit allows.
contract TestUptoProxy {
    struct Witness {
        address to;
        address facilitator;
        uint256 validAfter;
    }

    TestPermit2 public constant PERMIT2 = CANONICAL_PERMIT2;
    string public constant WITNESS_TYPE_STRING =
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,address facilitator,uint256 validAfter)";
    bytes32 public constant WITNESS_TYPEHASH =
        keccak256("Witness(address to,address facilitator,uint256 validAfter)");

    event Settled();

    error AmountExceedsPermitted();
    error InvalidDestination();
    error PaymentTooEarly();
    error UnauthorizedFacilitator();

    function settle(
        PermitTransferFrom calldata permit,
        uint256 amount,
        address owner,
        Witness calldata witness,
        bytes calldata signature
    ) external {
        require(amount <= permit.permitted.amount, AmountExceedsPermitted());
        require(witness.to != address(0), InvalidDestination());
        require(msg.sender == witness.facilitator, UnauthorizedFacilitator());
        require(block.timestamp >= witness.validAfter, PaymentTooEarly());
        PERMIT2.permitWitnessTransferFrom(
            permit,
            SignatureTransferDetails(witness.to, amount),
            owner,
            keccak256(abi.encode(WITNESS_TYPEHASH, witness.to, witness.facilitator, witness.validAfter)),
            WITNESS_TYPE_STRING,
            signature
        );
        emit Settled();
    }
}
