import { deletedSchema, listOf } from "@turnpike/contract/api/conventions.ts";
import {
  invitationParams,
  invitationSchema,
  memberListQuery,
  memberParams,
  memberSchema,
  newInvitationSchema,
  resetLinkSchema,
  roleChangeSchema,
  shownInvitationSchema,
  userParams,
  userStateSchema,
} from "@turnpike/contract/api/members.ts";

import { inviteMember, revokeInvitation, versionOfInvitation } from "#governance/invitations.ts";
import { changeMemberRole, removeMember, setUserDisabled } from "#governance/members.ts";
import { makeMemberResetLink } from "#governance/password-reset.ts";
import {
  getMember,
  invitationsPage,
  invitationView,
  membersPage,
  memberView,
  placeOfInvitation,
  placeOfMember,
  resetLinkView,
} from "#governance/people-views.ts";
import { WHOLE_PLATFORM } from "#governance/permissions.ts";
import { placeOfOrganizationOrTeam } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Members";

export const MEMBER_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/members",
    group,
    summary: "Lists who belongs to organizations and teams, service accounts too.",
    action: "members.read",
    query: memberListQuery,
    response: listOf(memberSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => membersPage(deed, { ...page, reach }),
        idOf: ({ id }) => id,
        view: memberView,
      }),
  }),
  adminRoute({
    method: "PATCH",
    path: "/api/members/:member_id",
    group,
    summary: "Gives a member another role; their sessions end. Nobody gives what they do not hold.",
    action: "members.write",
    params: memberParams,
    body: roleChangeSchema,
    response: memberSchema,
    place: ({ params, deed }) => placeOfMember(deed.core, params.member_id),
    handle: async ({ params, body, deed, expected }) => {
      const { version } = await changeMemberRole(deed, {
        membershipId: params.member_id,
        expected,
        role: body.role,
      });
      return { body: memberView(await getMember(deed, params.member_id)), version };
    },
  }),
  adminRoute({
    method: "DELETE",
    path: "/api/members/:member_id",
    group,
    summary: "Takes a member out; their sessions end.",
    action: "members.write",
    params: memberParams,
    response: deletedSchema,
    place: ({ params, deed }) => placeOfMember(deed.core, params.member_id),
    handle: async ({ params, deed, expected }) => {
      await removeMember(deed, params.member_id, { expected });
      return { body: { id: params.member_id, deleted: true } };
    },
  }),
  adminRoute({
    method: "POST",
    path: "/api/members/:member_id/password-reset",
    group,
    summary:
      "Makes a one-time link by which a member sets another password within an hour; the token is shown this once.",
    action: "members.recover",
    seenBy: () => "members.read",
    params: memberParams,
    response: resetLinkSchema,
    status: 201,
    place: ({ params, deed }) => placeOfMember(deed.core, params.member_id),
    handle: async ({ params, deed, parts }) => {
      const link = await makeMemberResetLink(deed, parts.pepper, params.member_id);
      return { body: resetLinkView(link) };
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/invitations",
    group,
    summary: "Lists invitations.",
    action: "invitations.read",
    query: memberListQuery,
    response: listOf(invitationSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => invitationsPage(deed, { ...page, reach }),
        idOf: ({ id }) => id,
        view: (row) => invitationView(row, deed.now),
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/invitations",
    group,
    summary: "Invites the holder of a mail address; the token for the link is shown this once.",
    action: "invitations.write",
    seenBy: ({ body }) => (body.team_id === null ? "organizations.read" : "teams.read"),
    noun: "organization or team",
    body: newInvitationSchema,
    response: shownInvitationSchema,
    status: 201,
    place: ({ body, deed }) => placeOfOrganizationOrTeam(deed.core, body),
    handle: async ({ body, deed, parts }) => {
      const { token, stored } = await inviteMember(deed, parts.pepper, {
        organizationId: body.organization_id,
        teamId: body.team_id,
        email: body.email,
        role: body.role,
      });
      return {
        body: { ...invitationView(stored, deed.now), token },
        version: versionOfInvitation(stored),
      };
    },
  }),
  adminRoute({
    method: "DELETE",
    path: "/api/invitations/:invitation_id",
    group,
    summary: "Takes an open invitation back.",
    action: "invitations.write",
    params: invitationParams,
    response: deletedSchema,
    place: ({ params, deed }) => placeOfInvitation(deed.core, params.invitation_id),
    handle: async ({ params, deed, expected }) => {
      await revokeInvitation(deed, params.invitation_id, { expected });
      return { body: { id: params.invitation_id, deleted: true } };
    },
  }),
  ...([true, false] as const).map((isDisabled) =>
    adminRoute({
      method: "POST",
      path: `/api/users/:user_id/${isDisabled ? "disable" : "enable"}`,
      group,
      summary: isDisabled
        ? "Disables a person wherever they belong; their sessions, keys and admin keys stop."
        : "Lets a disabled person in again.",
      action: "users.disable",
      params: userParams,
      response: userStateSchema,
      place: () => WHOLE_PLATFORM,
      handle: async ({ params, deed }) => {
        await setUserDisabled(deed, { userId: params.user_id, isDisabled });
        return { body: { id: params.user_id, disabled: isDisabled } };
      },
    }),
  ),
];
