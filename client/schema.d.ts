// Written by `npm run client` from the routes' own descriptions.

export interface paths {
    "/api/packages/{owner}/generic/{name}/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a version, by the address of its files */
        delete: operations["deleteVersionOfRegistry"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/packages/{owner}/generic/{name}/{version}/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The file, percent-encoded: letters, digits, spaces inside and ``_-+=:;.()[]{}~!@#$%^&``. */
                file: string;
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        /** Fetch a file */
        get: operations["downloadFile"];
        /**
         * Publish a file
         * @description The body is the file, whatever its type; of `multipart/form-data` it is the first file. Every digest that is sent must be right.
         *
         *     201 means that the file is on stable storage. A file is never overwritten.
         */
        put: operations["publishFile"];
        post?: never;
        /**
         * Delete a file
         * @description With the last file the version goes too.
         */
        delete: operations["deleteFile"];
        options?: never;
        /**
         * What is known of a file
         * @description The headers of GET, without the bytes. `Range` has no effect.
         */
        head: operations["headFile"];
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who did what in the whole site
         * @description Newest first. Events are added in the same transaction as what they tell of, and never changed. Combined filters look at the newest 20,000 events of the narrowest one; where that does not do, they are refused with 422: ask with `since` and `until`. So are pages beyond 10,000 events.
         */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/hooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Webhooks of the site
         * @description Told of all packages of the site. For administrators; scope `admin`.
         */
        get: operations["listSiteHooks"];
        put?: never;
        /**
         * Make a webhook of the site
         * @description Told of all packages of the site. For administrators; scope `admin`. 50 at most.
         */
        post: operations["createSiteHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/hooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A webhook of the site
         * @description Told of all packages of the site. For administrators; scope `admin`.
         */
        get: operations["getSiteHook"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook of the site
         * @description Told of all packages of the site. For administrators; scope `admin`.
         */
        delete: operations["deleteSiteHook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook of the site
         * @description Told of all packages of the site. For administrators; scope `admin`.
         */
        patch: operations["editSiteHook"];
        trace?: never;
    };
    "/api/v1/admin/hooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a webhook of the site was told, newest first
         * @description Told of all packages of the site. For administrators; scope `admin`. Kept for 30 days, and 10,000 of each webhook.
         */
        get: operations["listSiteHookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/hooks/{id}/deliveries/{delivery}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was sent to a webhook of the site, and answered
         * @description Told of all packages of the site. For administrators; scope `admin`.
         */
        get: operations["getSiteHookDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/hooks/{id}/deliveries/{delivery}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send the same to a webhook of the site once more
         * @description Told of all packages of the site. For administrators; scope `admin`. A new delivery with the same body, behind those that wait.
         */
        post: operations["replaySiteHookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Invitations to the site */
        get: operations["listInvitations"];
        put?: never;
        /** Invite somebody to the site */
        post: operations["createInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/invitations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Withdraw an invitation to the site */
        delete: operations["deleteInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Work that no request waits for */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forget a job that was given up */
        delete: operations["deleteJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a job again at once */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/quotas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How much there may be */
        get: operations["getQuotas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change how much there may be
         * @description A number that is not sent stays; null is no limit. Uploads that are under way are judged by it at their next step. Administrators of the site are bound by `site.file_size` alone.
         */
        patch: operations["changeQuotas"];
        trace?: never;
    };
    "/api/v1/admin/quotas/owners": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Owners with quotas of their own */
        get: operations["listOwnQuotas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/quotas/owners/{owner}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How much an owner may have */
        get: operations["getQuotaOfOwner"];
        put?: never;
        post?: never;
        /** Let an owner have what all have */
        delete: operations["deleteQuotaOfOwner"];
        options?: never;
        head?: never;
        /**
         * Change how much an owner may have
         * @description A number that is not sent stays; null is the default of all owners, -1 is no limit.
         */
        patch: operations["changeQuotaOfOwner"];
        trace?: never;
    };
    "/api/v1/admin/reserved-names": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Names that users and organisations had before */
        get: operations["listReservedNames"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/reserved-names/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Free a name */
        delete: operations["deleteReservedName"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/storage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What lies in the blob store
         * @description Adds up what is stored each time it is asked: no more often than somebody looks at it.
         */
        get: operations["getStorage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/storage/sweep": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove what nothing refers to, now
         * @description As soon as possible, by whichever server. What was deleted stays for its grace, and while a hold is on.
         */
        post: operations["sweepStorage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/usage-check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether what is kept of usage is right
         * @description Once a day everything is counted, and what is kept corrected where it differs.
         */
        get: operations["getUsageCheck"];
        put?: never;
        /** Count everything now */
        post: operations["askForUsageCheck"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All users */
        get: operations["listUsers"];
        put?: never;
        /** Add a user */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a user */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Change a user
         * @description A field that is not sent, or null, stays as it is.
         */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/api/v1/admin/users/{name}/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who somebody is at OpenID providers */
        get: operations["listIdentitiesOf"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/identities/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Unlink an identity of somebody
         * @description Also where it is his only way in.
         */
        delete: operations["deleteIdentityOf"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/orgs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make an organisation for somebody */
        post: operations["createOrganizationFor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove all passkeys of somebody
         * @description For somebody whose authenticators are lost. His browser sessions end. Those of an administrator are not removed with a token.
         */
        delete: operations["deletePasskeysOf"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a link by which somebody sets himself a new password */
        post: operations["createPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/rename": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a user another name */
        post: operations["renameUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Sign somebody out everywhere */
        delete: operations["deleteSessionsOf"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/suspension": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a provider has suspended somebody */
        get: operations["getSuspension"];
        put?: never;
        post?: never;
        /**
         * Lift what a provider has suspended
         * @description Holds until the provider has vouched for him once more, and then takes it back.
         */
        delete: operations["deleteSuspension"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{name}/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Turn off the second factor of somebody
         * @description For somebody whose phone and recovery codes are lost.
         */
        delete: operations["deleteSecondFactorOf"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/oidc/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange the ID token of a CI job for a token that publishes
         * @description RFC 8693. The token lives for 15 minutes and can publish what the rules of its owner say, and nothing else. Each ID token is good for one exchange.
         */
        post: operations["exchangeIdToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organisations that the caller may see */
        get: operations["listOrganizations"];
        put?: never;
        /** Make an organisation */
        post: operations["createOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An organisation */
        get: operations["getOrganization"];
        put?: never;
        post?: never;
        /**
         * Delete an organisation
         * @description For its owners.
         */
        delete: operations["deleteOrganization"];
        options?: never;
        head?: never;
        /**
         * Change an organisation
         * @description For its owners. A field that is not sent, or null, stays as it is.
         */
        patch: operations["updateOrganization"];
        trace?: never;
    };
    "/api/v1/orgs/{org}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who did what at an organisation
         * @description For its owners, who see who did it and from which address. Newest first. Events are added in the same transaction as what they tell of, and never changed. Combined filters look at the newest 20,000 events of the narrowest one; where that does not do, they are refused with 422: ask with `since` and `until`. So are pages beyond 10,000 events.
         */
        get: operations["listOrganizationAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/hooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Webhooks of an organisation
         * @description Told of the organisation's packages. For its owners; scope `organization`.
         */
        get: operations["listOrganizationHooks"];
        put?: never;
        /**
         * Make a webhook of an organisation
         * @description Told of the organisation's packages. For its owners; scope `organization`. 50 at most.
         */
        post: operations["createOrganizationHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/hooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A webhook of an organisation
         * @description Told of the organisation's packages. For its owners; scope `organization`.
         */
        get: operations["getOrganizationHook"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook of an organisation
         * @description Told of the organisation's packages. For its owners; scope `organization`.
         */
        delete: operations["deleteOrganizationHook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook of an organisation
         * @description Told of the organisation's packages. For its owners; scope `organization`.
         */
        patch: operations["editOrganizationHook"];
        trace?: never;
    };
    "/api/v1/orgs/{org}/hooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a webhook of an organisation was told, newest first
         * @description Told of the organisation's packages. For its owners; scope `organization`. Kept for 30 days, and 10,000 of each webhook.
         */
        get: operations["listOrganizationHookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/hooks/{id}/deliveries/{delivery}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was sent to a webhook of an organisation, and answered
         * @description Told of the organisation's packages. For its owners; scope `organization`.
         */
        get: operations["getOrganizationHookDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/hooks/{id}/deliveries/{delivery}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send the same to a webhook of an organisation once more
         * @description Told of the organisation's packages. For its owners; scope `organization`. A new delivery with the same body, behind those that wait.
         */
        post: operations["replayOrganizationHookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Invitations to an organisation
         * @description For its owners.
         */
        get: operations["listOrganizationInvitations"];
        put?: never;
        /**
         * Invite somebody to an organisation
         * @description For its owners.
         */
        post: operations["createOrganizationInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/invitations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Withdraw an invitation to an organisation
         * @description For its owners.
         */
        delete: operations["deleteOrganizationInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The members of an organisation */
        get: operations["listMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/members/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether somebody is a member */
        get: operations["isMember"];
        put?: never;
        post?: never;
        /**
         * Take somebody out of an organisation
         * @description For its owners, and for the member.
         */
        delete: operations["deleteMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/rename": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give an organisation another name
         * @description For its owners.
         */
        post: operations["renameOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orgs/{org}/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The teams of an organisation
         * @description For its members.
         */
        get: operations["listTeams"];
        put?: never;
        /**
         * Make a team
         * @description For the owners of the organisation.
         */
        post: operations["createTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/owners/{owner}/deploy-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The deploy tokens of an owner
         * @description For the user, the owners of the organisation, and administrators.
         */
        get: operations["listDeployTokens"];
        put?: never;
        /**
         * Make a deploy token
         * @description For the user, the owners of the organisation, and administrators. 100 at most. A token makes none that may do more than itself, or ends later.
         */
        post: operations["createDeployToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/owners/{owner}/deploy-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A deploy token of an owner
         * @description For the user, the owners of the organisation, and administrators.
         */
        get: operations["getDeployToken"];
        put?: never;
        post?: never;
        /**
         * Delete a deploy token
         * @description For the user, the owners of the organisation, and administrators.
         */
        delete: operations["deleteDeployToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/owners/{owner}/publishers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which jobs may publish at an owner without a stored secret
         * @description For the user, the owners of the organisation, and administrators. At a user it takes the scope `user` in the place of `organization`.
         */
        get: operations["listTrustedPublishers"];
        put?: never;
        /**
         * Let jobs publish
         * @description For the user, the owners of the organisation, and administrators. At a user it takes the scope `user` in the place of `organization`. 100 at most. A rule that pins no immutable id is 400.
         */
        post: operations["createTrustedPublisher"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/owners/{owner}/publishers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A rule by which jobs may publish
         * @description For the user, the owners of the organisation, and administrators. At a user it takes the scope `user` in the place of `organization`.
         */
        get: operations["getTrustedPublisher"];
        put?: never;
        post?: never;
        /**
         * Let jobs publish no more
         * @description For the user, the owners of the organisation, and administrators. At a user it takes the scope `user` in the place of `organization`.
         */
        delete: operations["deleteTrustedPublisher"];
        options?: never;
        head?: never;
        /**
         * Change by what rule jobs may publish
         * @description For the user, the owners of the organisation, and administrators. At a user it takes the scope `user` in the place of `organization`. What is left out stays; `claims` and `packages` are taken as a whole. Tokens that jobs hold by it end.
         */
        patch: operations["editTrustedPublisher"];
        trace?: never;
    };
    "/api/v1/packages/{owner}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The packages of an owner
         * @description One entry for each version; not said otherwise, the newest first.
         */
        get: operations["listPackages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The versions of a package
         * @description Not said otherwise, the newest first.
         */
        get: operations["listVersions"];
        put?: never;
        post?: never;
        /**
         * Delete a package
         * @description For those who may write to the owner.
         */
        delete: operations["deletePackage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who sees a package, and whom it names
         * @description For the user, the owners of the organisation, and administrators. Also of a package that is not there yet. At a user it takes `read:user`.
         */
        get: operations["getPackageAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Make a package private, or as visible as its owner
         * @description For the user, the owners of the organisation, and administrators. Also of a package that is not there yet. At a user it takes `write:user`, as all changes here.
         */
        patch: operations["changePackageAccess"];
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/access/deploy-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Let a deploy token read a private package, or write to it
         * @description For the user, the owners of the organisation, and administrators. To write, the token needs `write:package`: with it, it may write to every package of its owner that is within its patterns.
         */
        put: operations["givePackageToDeployToken"];
        post?: never;
        /**
         * Name a deploy token no more
         * @description For the user, the owners of the organisation, and administrators.
         */
        delete: operations["takePackageFromDeployToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/access/teams/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Let a team read a package, or write to it
         * @description For the user, the owners of the organisation, and administrators.
         */
        put: operations["givePackageToTeam"];
        post?: never;
        /**
         * Name a team no more
         * @description For the user, the owners of the organisation, and administrators.
         */
        delete: operations["takePackageFromTeam"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/access/users/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Let a user read a package, or write to it
         * @description For the user, the owners of the organisation, and administrators. Also of a package that is not there yet. A package names 200 users, teams and tokens at most.
         */
        put: operations["givePackageToUser"];
        post?: never;
        /**
         * Name a user no more
         * @description For the user, the owners of the organisation, and administrators.
         */
        delete: operations["takePackageFromUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who did what at a package
         * @description For who may write there, and also of a package that is gone. Newest first. Events are added in the same transaction as what they tell of, and never changed. Combined filters look at the newest 20,000 events of the narrowest one; where that does not do, they are refused with 422: ask with `since` and `until`. So are pages beyond 10,000 events.
         */
        get: operations["listPackageAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/delete-versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete many versions of a package
         * @description For those who may write to the owner. Either `versions`, by name, or `pattern`, in which `*` stands for any characters or none and `?` for any one; letter case does not count in either. With `dry_run` nothing is deleted. Versions go one after the other: where the call is broken off, the same call goes on.
         */
        post: operations["deleteVersions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/downloads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How often a package was downloaded
         * @description A transfer counts once: a whole file, or the range with its first byte. What was counted is shown a minute later at most. A package keeps the downloads of versions that were deleted, and a version those of its files.
         */
        get: operations["getDownloads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/latest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest version of a package */
        get: operations["getLatestVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/link/{repo}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tie a package to a repository
         * @description For clients that do so: Stowage hosts no repositories, so the answer is always a refusal.
         */
        post: operations["linkPackage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is said of a package, and what it has
         * @description Also of a package that has no version any more, as long as something is said of it.
         */
        get: operations["getPackageMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change what is said of a package
         * @description For those who may write to the owner. Fields that are not sent stay as they are; an empty text, or no label, takes away. A package of which something is said outlives its last version, until it is deleted itself.
         */
        patch: operations["changePackageMetadata"];
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/-/unlink": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Untie a package from its repository
         * @description For clients that do so: Stowage hosts no repositories, so the answer is always a refusal.
         */
        post: operations["unlinkPackage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A version of a package */
        get: operations["getPackage"];
        put?: never;
        post?: never;
        /**
         * Delete a version
         * @description For those who may write to the owner.
         */
        delete: operations["deleteVersion"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/{version}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of a version */
        get: operations["listFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{owner}/generic/{name}/{version}/origins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which jobs published the files of a version
         * @description Files that somebody published with a token or a password are left out. The claims are those of the ID token, as its issuer has vouched for them.
         */
        get: operations["listFileOrigins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search/packages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search packages, or files by digest
         * @description Shows what the caller may read. One entry for each package, by its newest version; or, with digests, one for each version that holds a file which has all of them.
         *
         *     Where more than 10,000 match, they are not counted, and no page behind the first 10,000 is shown; of versions with a digest, those are the ones that were made last.
         */
        get: operations["searchPackages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A team
         * @description For members of the organisation.
         */
        get: operations["getTeam"];
        put?: never;
        post?: never;
        /**
         * Delete a team
         * @description For the owners of the organisation.
         */
        delete: operations["deleteTeam"];
        options?: never;
        head?: never;
        /**
         * Change a team
         * @description For the owners of the organisation. A field that is not sent, or null, stays as it is.
         */
        patch: operations["updateTeam"];
        trace?: never;
    };
    "/api/v1/teams/{id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The members of a team
         * @description For members of the organisation.
         */
        get: operations["listTeamMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{id}/members/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A member of a team
         * @description For members of the organisation.
         */
        get: operations["getTeamMember"];
        /**
         * Put somebody into a team
         * @description For the owners of the organisation.
         */
        put: operations["addTeamMember"];
        post?: never;
        /**
         * Take somebody out of a team
         * @description For the owners of the organisation, and for the member. The last one of `Owners` cannot leave.
         */
        delete: operations["deleteTeamMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The token that calls
         * @description For whoever holds it; it needs no scope.
         */
        get: operations["getCurrentToken"];
        put?: never;
        post?: never;
        /**
         * Give up the token that calls
         * @description For whoever holds it; it needs no scope.
         */
        delete: operations["deleteCurrentToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage/{owner}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an owner has
         * @description Whoever may not write there is told neither what is reserved for uploads that are under way nor the quota: both are null.
         */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage/{owner}/packages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What each package of an owner has */
        get: operations["listUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is calling */
        get: operations["getCurrentUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who did what about the calling account and its packages
         * @description Newest first. Events are added in the same transaction as what they tell of, and never changed. Combined filters look at the newest 20,000 events of the narrowest one; where that does not do, they are refused with 422: ask with `since` and `until`. So are pages beyond 10,000 events.
         */
        get: operations["listOwnAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/hooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Webhooks of your own
         * @description Told of your own packages. Scope `user`.
         */
        get: operations["listOwnHooks"];
        put?: never;
        /**
         * Make a webhook of your own
         * @description Told of your own packages. Scope `user`. 50 at most.
         */
        post: operations["createOwnHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/hooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A webhook of your own
         * @description Told of your own packages. Scope `user`.
         */
        get: operations["getOwnHook"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook of your own
         * @description Told of your own packages. Scope `user`.
         */
        delete: operations["deleteOwnHook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook of your own
         * @description Told of your own packages. Scope `user`.
         */
        patch: operations["editOwnHook"];
        trace?: never;
    };
    "/api/v1/user/hooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a webhook of your own was told, newest first
         * @description Told of your own packages. Scope `user`. Kept for 30 days, and 10,000 of each webhook.
         */
        get: operations["listOwnHookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/hooks/{id}/deliveries/{delivery}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was sent to a webhook of your own, and answered
         * @description Told of your own packages. Scope `user`.
         */
        get: operations["getOwnHookDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/hooks/{id}/deliveries/{delivery}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send the same to a webhook of your own once more
         * @description Told of your own packages. Scope `user`. A new delivery with the same body, behind those that wait.
         */
        post: operations["replayOwnHookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who you are at OpenID providers
         * @description They are linked in a browser, at `/user/settings/identities`. Oldest first.
         */
        get: operations["listIdentities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/identities/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Unlink an identity of yours
         * @description Refused where your account would have no way in any more.
         */
        delete: operations["deleteIdentity"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation to an organisation
         * @description For somebody who has an account; else `/user/invitation` makes one.
         */
        post: operations["acceptInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/orgs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organisations that the caller is a member of */
        get: operations["listCurrentUserOrganizations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your passkeys
         * @description They are made in a browser, at `/user/settings/passkeys`. At most 20, oldest first.
         */
        get: operations["listPasskeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/passkeys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a passkey of yours
         * @description Ends your browser sessions. The last one stays, as without it the password alone would be enough: that one is removed in a browser.
         */
        delete: operations["deletePasskey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set oneself a new password
         * @description The one route that is open to an account that must change its password.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the caller says of himself */
        get: operations["getUserSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change what the caller says of himself
         * @description A field that is not sent, or null, stays as it is.
         */
        patch: operations["updateUserSettings"];
        trace?: never;
    };
    "/api/v1/user/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether signing in takes a second factor */
        get: operations["getSecondFactor"];
        put?: never;
        /** Begin a second factor */
        post: operations["beginSecondFactor"];
        /** Turn the second factor off */
        delete: operations["deleteSecondFactor"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Turn the second factor on */
        post: operations["confirmSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/user/totp/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Get new recovery codes */
        post: operations["renewRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A user */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{name}/orgs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The organisations that a user is a member of
         * @description As far as the caller may see them.
         */
        get: operations["listUserOrganizations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{name}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tokens of a user
         * @description For the user and administrators.
         */
        get: operations["listTokens"];
        put?: never;
        /**
         * Make a token
         * @description For the user and administrators. A token makes none that may do more than itself.
         */
        post: operations["createToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{name}/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a token
         * @description For the user and administrators.
         */
        delete: operations["deleteToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The version of the server */
        get: operations["getVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server answers */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Numbers for Prometheus
         * @description Where `STOWAGE_METRICS_TOKEN` or `STOWAGE_METRICS_ALLOWED_ADDRESSES` is set; else there is nothing here.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether database and storage can be written */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptInvitationOption: {
            code: string;
        };
        AccessToken: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description null for never.
             */
            expires_at: string | null;
            id: number;
            /**
             * Format: date-time
             * @description A minute late at most.
             */
            last_used_at: string | null;
            name: string;
            /** @description Patterns of the packages that it is for, with the names that their owners have now; null for all packages. Those of owners who are gone, or hidden from whoever asks, are left out. */
            packages: string[] | null;
            scopes: string[];
            /** @description The token itself, in the answer that makes it; empty ever after. */
            sha1: string;
            token_last_eight: string;
        };
        /** @description Why something was refused. */
        APIError: {
            /** @description What is wrong, and what to do, in a sentence for people. */
            message: string;
            /** @description Where this API is described. */
            url: string;
        };
        /** @description Something that somebody did. */
        AuditEvent: {
            /** @description Such as `token.created`. More may come. */
            action: string;
            /** @description Who did it, as he was called then; null for the server itself and for who has no account. */
            actor: {
                id: number;
                name: string;
            } | null;
            /** @description Where it came from. */
            address: string | null;
            /**
             * Format: date-time
             * @description To the millisecond.
             */
            created_at: string;
            /**
             * @description What it was done with.
             * @enum {string|null}
             */
            credential: "password" | "token" | "deploy-token" | "session" | "passkey" | "oidc" | "proxy" | "link" | "operator" | null;
            /** @description What else there is to say. `x_before` and `x` are how something was and is. */
            details: {
                [key: string]: string | number | boolean | null | string[];
            };
            file: string | null;
            id: number;
            /** @description The account or organisation at which it was done, as it was called then. */
            owner: {
                id: number;
                name: string;
            } | null;
            package: string | null;
            /** @description To whom or to what: a member, a team, the name of a token. */
            subject: string | null;
            /** @description The end of that token. */
            token_last_eight: string | null;
            version: string | null;
        };
        /** @description The token that the request came with. */
        CallingToken: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description null for never.
             */
            expires_at: string | null;
            id: number;
            /**
             * Format: date-time
             * @description A minute late at most.
             */
            last_used_at: string | null;
            name: string;
            /** @description The user or organisation whose deploy token it is; else null. */
            owner: string | null;
            /** @description Patterns of the packages that it is for, with the names that their owners have now; null for all packages. Those of owners who are gone, or hidden from whoever asks, are left out. */
            packages: string[] | null;
            scopes: string[];
            /** @description The token itself, in the answer that makes it; empty ever after. */
            sha1: string;
            token_last_eight: string;
            /** @description Whose it is; null of a deploy token. */
            user: string | null;
        };
        ChangePasswordOption: {
            new_password: string;
            old_password: string;
        };
        ConfirmSecondFactorOption: {
            code: string;
        };
        CreateAccessTokenOption: {
            /**
             * Format: date-time
             * @description When it ends; null for never.
             */
            expires_at?: string | null;
            name: string;
            /**
             * @description Patterns of the packages that it is for, each with its owner; `*` stands for any characters of a name, or for every owner. null for all packages. Such a token has no scopes but `read:package` and `write:package`.
             * @example [
             *       "acme/tool-*"
             *     ]
             */
            packages?: string[] | null;
            /**
             * @description One at least: `read:` or `write:` before `package`, `user`, `organization`, `admin`; or `all`. `public-only` beside them keeps the token to what is public.
             * @example [
             *       "write:package"
             *     ]
             */
            scopes?: string[] | null;
        };
        CreateDeployTokenOption: {
            /**
             * Format: date-time
             * @description When it ends; null for never.
             */
            expires_at?: string | null;
            name: string;
            /**
             * @description Patterns of the owner's packages that it is for; `*` stands for any characters. null for all.
             * @example [
             *       "tool-*"
             *     ]
             */
            packages?: string[] | null;
            /**
             * @description `read:package` or `write:package`; `public-only` beside it keeps the token to public owners.
             * @example [
             *       "write:package"
             *     ]
             */
            scopes?: string[] | null;
        };
        CreateInvitationOption: {
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            /** @description Seconds until it ends. Not sent: a usual time. */
            expires_in?: number | null;
            full_name?: string | null;
            /** @description The team that whoever accepts it will be in. */
            team_id?: number | null;
        };
        CreateOrgInvitationOption: {
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            /** @description Seconds until it ends. Not sent: a usual time. */
            expires_in?: number | null;
            full_name?: string | null;
            /** @description The team that whoever accepts it will be in. */
            team_id: number;
        };
        CreateOrgOption: {
            description?: string | null;
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            full_name?: string | null;
            location?: string | null;
            repo_admin_change_team_access?: boolean | null;
            username: string;
            /** @enum {string|null} */
            visibility?: "public" | "limited" | "private" | "" | null;
            /** @description An http or https address; empty for none. */
            website?: string | null;
        };
        CreatePasswordResetOption: {
            /** @description Seconds until it ends. Not sent: a usual time. */
            expires_in?: number | null;
        };
        CreateTeamOption: {
            can_create_org_repo?: boolean | null;
            description?: string | null;
            includes_all_repositories?: boolean | null;
            name: string;
            /** @enum {string|null} */
            permission?: "none" | "read" | "write" | "admin" | "" | null;
            units?: ("repo.code" | "repo.issues" | "repo.ext_issues" | "repo.pulls" | "repo.releases" | "repo.wiki" | "repo.ext_wiki" | "repo.projects" | "repo.packages" | "repo.actions")[] | null;
            units_map?: {
                [key: string]: "none" | "read" | "write" | "admin";
            } | null;
        };
        CreateTrustedPublisherOption: {
            /**
             * @description What the ID token must say. One claim pins what nobody else can ever have, and has no wildcards: `repository_id` of GitHub, `project_id` of GitLab, else `sub`. In all others `*` stands for any characters.
             * @example {
             *       "repository_id": "74",
             *       "ref": "refs/tags/v*"
             *     }
             */
            claims: {
                [key: string]: string;
            };
            /**
             * @description One of those that `STOWAGE_OIDC_PUBLISHERS` names, as its tokens have it in `iss`.
             * @example https://token.actions.githubusercontent.com
             */
            issuer: string;
            name: string;
            /**
             * @description Patterns of this owner's packages; `*` stands for any characters.
             * @example [
             *       "tool-*"
             *     ]
             */
            packages: string[];
        };
        CreateUserOption: {
            created_at?: string | null;
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            full_name?: string | null;
            login_name?: string | null;
            must_change_password?: boolean | null;
            password: string;
            restricted?: boolean | null;
            send_notify?: boolean | null;
            source_id?: number | null;
            username: string;
            /** @enum {string|null} */
            visibility?: "public" | "limited" | "private" | "" | null;
        };
        /** @description Versions that were deleted, or would be. */
        DeletedVersions: {
            dry_run: boolean;
            /** @description Of all these versions. */
            files: number;
            /** @description Bytes, also those that are stored once for several files. */
            size: number;
            total_versions: number;
            /** @description Names that no version has. */
            unknown: string[];
            /** @description The first 1,000, by name. */
            versions: {
                files: number;
                /** @description Bytes. */
                size: number;
                version: string;
            }[];
        };
        /** @description A token that belongs to an owner, and stays when people leave. */
        DeployToken: {
            /** Format: date-time */
            created_at: string;
            /** @description Who made it; null where he is gone. */
            created_by: string | null;
            /**
             * Format: date-time
             * @description null for never.
             */
            expires_at: string | null;
            id: number;
            /**
             * Format: date-time
             * @description A minute late at most.
             */
            last_used_at: string | null;
            name: string;
            /** @description Patterns of the owner's packages that it is for; null for all. */
            packages: string[] | null;
            scopes: string[];
            /** @description The token itself, in the answer that makes it; empty ever after. */
            sha1: string;
            token_last_eight: string;
        };
        Downloads: {
            /** @description Every day, the oldest first. */
            days: {
                /** Format: date */
                date: string;
                /** @description How often. */
                downloads: number;
            }[];
            /** @description Of a version: of all time, by name. */
            files?: {
                /** @description How often. */
                downloads: number;
                id: number;
                name: string;
            }[];
            /** @description Of all time. */
            total: number;
        };
        EditOrgOption: {
            description?: string | null;
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            full_name?: string | null;
            location?: string | null;
            repo_admin_change_team_access?: boolean | null;
            /** @enum {string|null} */
            visibility?: "public" | "limited" | "private" | "" | null;
            /** @description An http or https address; empty for none. */
            website?: string | null;
        };
        EditPackageAccessOption: {
            /**
             * @description `private`: for who may write to the owner, and whom the package names.
             * @enum {string}
             */
            visibility: "inherit" | "private";
        };
        EditTeamOption: {
            can_create_org_repo?: boolean | null;
            description?: string | null;
            includes_all_repositories?: boolean | null;
            name?: string | null;
            /** @enum {string|null} */
            permission?: "none" | "read" | "write" | "admin" | "" | null;
            units?: ("repo.code" | "repo.issues" | "repo.ext_issues" | "repo.pulls" | "repo.releases" | "repo.wiki" | "repo.ext_wiki" | "repo.projects" | "repo.packages" | "repo.actions")[] | null;
            units_map?: {
                [key: string]: "none" | "read" | "write" | "admin";
            } | null;
        };
        EditTrustedPublisherOption: {
            /**
             * @description What the ID token must say. One claim pins what nobody else can ever have, and has no wildcards: `repository_id` of GitHub, `project_id` of GitLab, else `sub`. In all others `*` stands for any characters.
             * @example {
             *       "repository_id": "74",
             *       "ref": "refs/tags/v*"
             *     }
             */
            claims?: {
                [key: string]: string;
            } | null;
            /**
             * @description One of those that `STOWAGE_OIDC_PUBLISHERS` names, as its tokens have it in `iss`.
             * @example https://token.actions.githubusercontent.com
             */
            issuer?: string | null;
            name?: string | null;
            /**
             * @description Patterns of this owner's packages; `*` stands for any characters.
             * @example [
             *       "tool-*"
             *     ]
             */
            packages?: string[] | null;
        };
        EditUserOption: {
            active?: boolean | null;
            admin?: boolean | null;
            allow_create_organization?: boolean | null;
            allow_git_hook?: boolean | null;
            allow_import_local?: boolean | null;
            description?: string | null;
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            full_name?: string | null;
            location?: string | null;
            login_name?: string | null;
            max_repo_creation?: number | null;
            must_change_password?: boolean | null;
            password?: (string | "") | null;
            prohibit_login?: boolean | null;
            restricted?: boolean | null;
            source_id?: number | null;
            /** @enum {string|null} */
            visibility?: "public" | "limited" | "private" | "" | null;
            /** @description An http or https address; empty for none. */
            website?: string | null;
        };
        /** @description Which job published a file. */
        FileOrigin: {
            /** @description What it said of the job: `repository`, `ref`, `sha`, `run_id` and others, as the CI system calls them. */
            claims: {
                [key: string]: string;
            };
            /** Format: date-time */
            created_at: string;
            file: string;
            /** @description Who vouches for the claims. */
            issuer: string;
        };
        /** @description A package, by its newest version. */
        FoundPackage: {
            /** Format: date-time */
            created_at: string;
            creator: components["schemas"]["User"];
            /** @description Of all its files, also of those that are gone. */
            downloads: number;
            /** @description Of all its versions. */
            files: number;
            /** @description Its page. */
            html_url: string;
            /** @description Of the version. */
            id: number;
            name: string;
            owner: components["schemas"]["User"];
            /** @description Packages belong to owners here. */
            repository: null;
            /** @description Bytes of all its files. */
            size: number;
            /** @constant */
            type: "generic";
            version: string;
            /** @description How many there are of the package. */
            versions: number;
        };
        /** @description A version that holds a file with these digests. */
        FoundVersion: {
            /** Format: date-time */
            created_at: string;
            creator: components["schemas"]["User"];
            /** @description Its files with these digests, by name; 100 at most. */
            files: components["schemas"]["PackageFile"][];
            /** @description Its page. */
            html_url: string;
            /** @description Of the version. */
            id: number;
            name: string;
            owner: components["schemas"]["User"];
            /** @description Packages belong to owners here. */
            repository: null;
            /** @constant */
            type: "generic";
            version: string;
        };
        GivePackageAccessOption: {
            /** @enum {string} */
            permission: "read" | "write";
        };
        /** @description Who is told when something is published or deleted. */
        Hook: {
            active: boolean;
            /** @description Empty: it is never shown. */
            authorization_header: string;
            /** @description Empty. Has no meaning here. */
            branch_filter: string;
            /** @description Where it leads. The secret is never shown. */
            config: {
                /** @constant */
                content_type: "json";
                url: string;
            };
            /** Format: date-time */
            created_at: string;
            events: string[];
            id: number;
            /** @description As it was made: `gitea` or `stowage`, which get the same. */
            type: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description Who somebody is at an OpenID provider by which people sign in. */
        Identity: {
            /** @description Whether the provider is asked again while he is away. */
            checked: boolean;
            /**
             * Format: date-time
             * @description When the provider was last heard of him.
             */
            checked_at: string;
            /** Format: date-time */
            created_at: string;
            id: number;
            issuer: string;
            /** @description What the provider calls him. */
            label: string;
            /**
             * Format: date-time
             * @description Since when the provider does not vouch for him; null while it does.
             */
            lapsed_at: string | null;
            /** Format: date-time */
            last_used_at: string | null;
            /** @description By its name in the settings; null where it is not there any more. */
            provider: string | null;
            /** @description Who it is at the issuer. */
            subject: string;
        };
        Invitation: {
            /** Format: date-time */
            created_at: string;
            /** @description null where nobody signed in made it. */
            created_by: string | null;
            /** @description Empty for none. */
            email: string;
            /** Format: date-time */
            expires_at: string;
            full_name: string;
            id: number;
            /** @enum {string} */
            kind: "invitation" | "password-reset";
            /** @description Whether it went out by mail. */
            mailed: boolean;
            /** @description The team that whoever accepts it will be in. */
            team: components["schemas"]["Team"] | null;
        };
        /** @description Work that no request waits for. */
        Job: {
            attempts: number;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            due_at: string;
            /** Format: date-time */
            given_up_at: string | null;
            id: number;
            kind: string;
            last_error: string | null;
            /** @enum {string} */
            state: "waiting" | "running" | "given-up";
            subject: string;
        };
        /** @description An invitation, with the link to send. */
        NewInvitation: {
            /** Format: date-time */
            created_at: string;
            /** @description null where nobody signed in made it. */
            created_by: string | null;
            /** @description Empty for none. */
            email: string;
            /** Format: date-time */
            expires_at: string;
            full_name: string;
            id: number;
            /** @enum {string} */
            kind: "invitation" | "password-reset";
            /** @description Whether it went out by mail. */
            mailed: boolean;
            /** @description The team that whoever accepts it will be in. */
            team: components["schemas"]["Team"] | null;
            /** @description The link itself, told this once. */
            url: string;
        };
        Organization: {
            /** @description Empty. Has no meaning here. */
            avatar_url: string;
            description: string;
            /** @description Empty for none. */
            email: string;
            full_name: string;
            id: number;
            location: string;
            name: string;
            /** @description Kept, without effect here. */
            repo_admin_change_team_access: boolean;
            /** @description The same as `name`. */
            username: string;
            /**
             * @description Who may see it: everybody, everybody who is signed in, its members.
             * @enum {string}
             */
            visibility: "public" | "limited" | "private";
            website: string;
        };
        /** @description What is set for an owner, and what binds there. */
        OwnerQuota: {
            bytes: number | null;
            effective: components["schemas"]["Quota"];
            file_size: number | null;
            owner: string;
            /** @description null is the default of all owners, -1 no limit. */
            versions: number | null;
        };
        /** @description What is set for one owner alone. */
        OwnQuota: {
            bytes: number | null;
            file_size: number | null;
            owner: string;
            /** @description null is the default of all owners, -1 no limit. */
            versions: number | null;
        };
        /** @description One version of a package. */
        Package: {
            /** Format: date-time */
            created_at: string;
            creator: components["schemas"]["User"];
            /** @description Its page. */
            html_url: string;
            /** @description Of the version. */
            id: number;
            name: string;
            owner: components["schemas"]["User"];
            /** @description Packages belong to owners here. */
            repository: null;
            /** @constant */
            type: "generic";
            version: string;
        };
        /** @description Who sees a package, and who may do what with it beside what he may by its owner. */
        PackageAccess: {
            deploy_tokens: {
                id: number;
                name: string;
                /** @enum {string} */
                permission: "read" | "write";
            }[];
            teams: {
                id: number;
                name: string;
                /** @enum {string} */
                permission: "read" | "write";
            }[];
            users: {
                id: number;
                name: string;
                /** @enum {string} */
                permission: "read" | "write";
            }[];
            /**
             * @description `inherit`: seen by who sees its owner. `private`: by who may write to the owner, and whom the package names.
             * @enum {string}
             */
            visibility: "inherit" | "private";
        };
        PackageFile: {
            /** @description How often it was downloaded. A minute late at most. */
            downloads: number;
            id: number;
            /** @description Hexadecimal, in lower case, like the other digests; null while it is not known yet. */
            md5: string | null;
            name: string;
            sha1: string | null;
            sha256: string | null;
            sha512: string | null;
            /** @description Bytes. */
            size: number;
        };
        /** @description What is said of a package, and what it has. */
        PackageMetadata: {
            /** @description Whether the caller may publish there, and delete. */
            can_write: boolean;
            /** Format: date-time */
            created_at: string;
            description: string;
            /** @description Of all time, also of versions that are gone. */
            downloads: number;
            files: number;
            /** @description An http or https address, or empty. */
            homepage: string;
            labels: string[];
            name: string;
            /** @description Markdown. */
            readme: string;
            /** @description An http or https address, or empty. */
            repository_url: string;
            /** @description Bytes, also those that are stored once for several files. */
            size: number;
            /**
             * Format: date-time
             * @description When its newest version was made or, if later, something else was said of it.
             */
            updated_at: string;
            versions: number;
            /**
             * @description `inherit`: seen by who sees its owner. `private`: by who may write to the owner, and whom the package names.
             * @enum {string}
             */
            visibility: "inherit" | "private";
        };
        /** @description What a package has. */
        PackageUsage: {
            downloads: number;
            files: number;
            name: string;
            size: number;
            versions: number;
        };
        /** @description What somebody signs in with, alone or beside the password. */
        Passkey: {
            /** @description Whether its authenticator keeps a copy elsewhere, as password managers do. */
            backed_up: boolean;
            /** Format: date-time */
            created_at: string;
            id: number;
            /** Format: date-time */
            last_used_at: string | null;
            name: string;
        };
        /** @description A link by which somebody sets himself a new password. */
        PasswordReset: {
            /** Format: date-time */
            created_at: string;
            /** @description null where nobody signed in made it. */
            created_by: string | null;
            /** Format: date-time */
            expires_at: string;
            id: number;
            /** @enum {string} */
            kind: "invitation" | "password-reset";
            /** @description Whether it went out by mail. */
            mailed: boolean;
            /** @description The link itself, told this once. */
            url: string;
            /** @description Whose password it sets. */
            user: string | null;
        };
        /** @description How much there may be at most. */
        Quota: {
            /** @description Bytes of all files; null is no limit. */
            bytes: number | null;
            /** @description Bytes of one file; null is no limit. */
            file_size: number | null;
            /** @description Versions; null is no limit. */
            versions: number | null;
        };
        /** @description Each works once in the place of a code; they are told this once. */
        RecoveryCodes: {
            recovery_codes: string[];
        };
        RenameOrgOption: {
            new_name: string;
        };
        RenameUserOption: {
            new_username: string;
        };
        /** @description A name that a user or organisation had before. Nobody else gets it. */
        ReservedName: {
            name: string;
            /** @description Who had it, by his name of today; null where he is gone. */
            owner: string | null;
            /** Format: date-time */
            since: string;
        };
        /** @description Whether signing in by password takes a code too. */
        SecondFactor: {
            enabled: boolean;
            recovery_codes_left: number;
        };
        SecondFactorEnrolment: {
            /** @description The same as a picture to scan. */
            qr_svg: string;
            /** @description For an authenticator that takes it by hand (Base32). */
            secret: string;
            /** @description `otpauth://…`, for an authenticator on the same device. */
            url: string;
        };
        ServerVersion: {
            /**
             * @description The release of Gitea whose protocol this is, then `+stowage-` and the version of this server.
             * @example 1.27.0+stowage-0.1.0
             */
            version: string;
        };
        SiteQuotas: {
            owners: components["schemas"]["Quota"];
            site: components["schemas"]["Quota"];
        };
        /** @description What lies in the blob store, and what became of what was deleted. */
        Storage: {
            /** @description Whether all of `doomed` and `leftover` was looked at. */
            complete: boolean;
            /** @description Bytes of the disk with the blobs; null where the store has none. */
            disk: {
                free: number;
                total: number;
            } | null;
            /** @description What nothing refers to any more, and goes when its grace is over. */
            doomed: {
                blobs: number;
                bytes: number;
            };
            /** @description Why the blob store could not be asked. */
            error: string | null;
            /** @description Each file by itself, also where several share their bytes. */
            files: {
                bytes: number;
                count: number;
            };
            /** @description How long doomed bytes stay. */
            grace_seconds: number;
            /** @description Why nothing doomed is removed now, such as a backup. */
            hold: string | null;
            /** @description The last one that removed something. */
            last_freed: components["schemas"]["Sweep"] | null;
            /** @description The last one. Of several within a minute that removed nothing, the first. */
            last_sweep: components["schemas"]["Sweep"] | null;
            /** @description What uploads left that did not end, or of which nobody knows yet whether they did. */
            leftover: {
                blobs: number;
                bytes: number;
            };
            /** Format: date-time */
            next_sweep_at: string | null;
            /** @description What files have, equal bytes once. */
            referenced: {
                blobs: number;
                bytes: number;
            };
        };
        /** @description Whether a provider has suspended an account. */
        Suspension: {
            /**
             * Format: date-time
             * @description null while he is not.
             */
            suspended_at: string | null;
        };
        /** @description What a sweep removed. */
        Sweep: {
            /**
             * Format: date-time
             * @description When it ended.
             */
            at: string;
            /** @description What had been published, and whose grace was over. */
            doomed: {
                blobs: number;
                bytes: number;
            };
            /** @description Why not everything went that should. */
            error: string | null;
            /** @description What uploads had left that did not end. */
            leftover: {
                blobs: number;
                bytes: number;
            };
            took_ms: number;
        };
        Team: {
            /** @description Kept, without effect here. */
            can_create_org_repo: boolean;
            description: string;
            id: number;
            /** @description Kept, without effect here. */
            includes_all_repositories: boolean;
            name: string;
            organization: components["schemas"]["Organization"];
            /**
             * @description `owner` is the team `Owners` alone.
             * @enum {string}
             */
            permission: "none" | "read" | "write" | "admin" | "owner";
            /** @description What it may do something with; `repo.packages` counts here. */
            units: ("repo.code" | "repo.issues" | "repo.ext_issues" | "repo.pulls" | "repo.releases" | "repo.wiki" | "repo.ext_wiki" | "repo.projects" | "repo.packages" | "repo.actions")[];
            /** @description What it may do with each; `repo.packages` counts here. */
            units_map: {
                [key: string]: "none" | "read" | "write" | "admin" | "owner";
            };
        };
        TokenExchangeAnswer: {
            access_token: string;
            /** @description Seconds. */
            expires_in: number;
            /** @constant */
            issued_token_type: "urn:ietf:params:oauth:token-type:access_token";
            /** @description Where it publishes. */
            owner: string;
            /** @description Patterns of the packages that it publishes. */
            readonly packages: string[];
            scope: string;
            /** @constant */
            token_type: "Bearer";
        };
        TokenExchangeRefusal: {
            /**
             * @description RFC 8693 §2.2.2 and RFC 6749 §5.2.
             * @enum {string}
             */
            error: "invalid_request" | "invalid_target" | "unsupported_grant_type" | "temporarily_unavailable";
            /** @description What is wrong, in a sentence for people. */
            error_description: string;
        };
        TokenExchangeRequest: {
            /** @constant */
            grant_type: "urn:ietf:params:oauth:grant-type:token-exchange";
            /** @constant */
            requested_token_type?: "urn:ietf:params:oauth:token-type:access_token";
            /** @description Whose rules are meant: the address of his packages, `https://packages.example.com/api/packages/acme`. Say it: without it the job is refused once rules of several owners are about it. */
            resource?: string;
            /** @description The ID token; its audience is the public address of this server. */
            subject_token: string;
            /** @enum {string} */
            subject_token_type: "urn:ietf:params:oauth:token-type:id_token" | "urn:ietf:params:oauth:token-type:jwt";
        };
        /** @description Which jobs may publish without a stored secret. */
        TrustedPublisher: {
            /** @description What such a token must say. */
            claims: {
                [key: string]: string;
            };
            /** Format: date-time */
            created_at: string;
            /** @description Who made it; null where he is gone. */
            created_by: string | null;
            id: number;
            /** @description Who signs the ID tokens. */
            issuer: string;
            /** Format: date-time */
            last_used_at: string | null;
            name: string;
            /** @description Patterns of the packages that such a job publishes. */
            packages: string[];
        };
        /** @description What an owner has. */
        Usage: {
            files: number;
            owner: string;
            packages: number;
            quota: components["schemas"]["Quota"] | null;
            /** @description Bytes that such uploads have reserved. */
            reserved_size: number | null;
            /** @description New versions of uploads that are under way. */
            reserved_versions: number | null;
            /** @description Bytes of every file, also of those whose bytes are equal. */
            size: number;
            versions: number;
        };
        /** @description What counting everything through came to. */
        UsageCheck: {
            /** @description The last one that ended; null before the first. */
            last: {
                /** Format: date-time */
                at: string;
                /** @description How many numbers were wrong, and are right now. */
                corrected: number;
                /** @description The first 20. */
                drift: components["schemas"]["UsageDrift"][];
                owners: number;
                packages: number;
                took_ms: number;
                versions: number;
            } | null;
        };
        /** @description A number that was not what is there. */
        UsageDrift: {
            counted: number;
            kept: number;
            /** @description Such as `ada`, `ada/tool` or `ada/tool/1.0`. */
            name: string;
            /** @enum {string} */
            number: "versions" | "packages" | "files" | "bytes";
            /** @enum {string} */
            of: "version" | "package" | "owner";
        };
        /** @description A user; or an organisation, where an owner of packages is shown. */
        User: {
            /** @description false for anybody but the user and administrators. */
            active: boolean;
            /** @description Empty. Has no meaning here. */
            avatar_url: string;
            /** Format: date-time */
            created: string;
            description: string;
            /** @description A placeholder for callers who are not signed in. */
            email: string;
            /** @description 0. Has no meaning here. */
            followers_count: number;
            /** @description 0. Has no meaning here. */
            following_count: number;
            full_name: string;
            /** @description His page. */
            html_url: string;
            /** @description -1 for somebody who is gone: he is shown as `Ghost`. */
            id: number;
            /** @description false for anybody but the user and administrators. */
            is_admin: boolean;
            /** @description Empty. Has no meaning here. */
            language: string;
            /**
             * Format: date-time
             * @description `0001-01-01T00:00:00Z` for never, and for anybody but the user and administrators.
             */
            last_login: string;
            location: string;
            /** @description The name. */
            login: string;
            /** @description Empty. Has no meaning here. */
            login_name: string;
            /** @description false for anybody but the user and administrators. */
            prohibit_login: boolean;
            /** @description false for anybody but the user and administrators. */
            restricted: boolean;
            /** @description 0. Has no meaning here. */
            source_id: number;
            /** @description 0. Has no meaning here. */
            starred_repos_count: number;
            /** @description The same as `login`. */
            username: string;
            /**
             * @description Who may see him: everybody, everybody who is signed in, or nobody else.
             * @enum {string}
             */
            visibility: "public" | "limited" | "private";
            website: string;
        };
        /** @description What somebody says of himself. */
        UserSettings: {
            description: string;
            /** @description Empty. Has no meaning here. */
            diff_view_style: string;
            /** @description Empty for none. */
            email: string;
            full_name: string;
            /** @description false. Has no meaning here. */
            hide_activity: boolean;
            /** @description false. Has no meaning here. */
            hide_email: boolean;
            /** @description Empty. Has no meaning here. */
            language: string;
            location: string;
            /** @description Empty. Has no meaning here. */
            theme: string;
            /** @enum {string} */
            visibility: "public" | "limited" | "private";
            website: string;
        };
        UserSettingsOptions: {
            description?: string | null;
            diff_view_style?: string | null;
            /** @description An e-mail address; empty for none. */
            email?: string | null;
            full_name?: string | null;
            hide_activity?: boolean | null;
            hide_email?: boolean | null;
            language?: string | null;
            location?: string | null;
            theme?: string | null;
            /** @enum {string|null} */
            visibility?: "public" | "limited" | "private" | "" | null;
            /** @description An http or https address; empty for none. */
            website?: string | null;
        };
        /** @description What a webhook is told, and what came of it. */
        WebhookDelivery: {
            action: string;
            /**
             * Format: date-time
             * @description The last time.
             */
            attempted_at: string | null;
            attempts: number;
            /** Format: date-time */
            created_at: string;
            /** @description Of the last attempt. */
            duration_ms: number | null;
            /** @description Why the last attempt failed; null where it did not. */
            error: string | null;
            /** @constant */
            event: "package";
            id: number;
            /**
             * Format: date-time
             * @description While it waits: not before this, nor before older ones of the same webhook.
             */
            next_attempt_at: string | null;
            /** @enum {string} */
            state: "waiting" | "delivered" | "given-up";
            /** @description What the last attempt was answered with. */
            status: number | null;
            /** @description The same in every attempt: `X-Gitea-Delivery`. */
            uuid: string;
        };
        WebhookDeliveryDetails: {
            action: string;
            /**
             * Format: date-time
             * @description The last time.
             */
            attempted_at: string | null;
            attempts: number;
            /** Format: date-time */
            created_at: string;
            /** @description Of the last attempt. */
            duration_ms: number | null;
            /** @description Why the last attempt failed; null where it did not. */
            error: string | null;
            /** @constant */
            event: "package";
            id: number;
            /**
             * Format: date-time
             * @description While it waits: not before this, nor before older ones of the same webhook.
             */
            next_attempt_at: string | null;
            request: {
                /** @description Null before the first attempt; from then on the same. */
                body: string | null;
                /** @description Without what is secret. */
                headers: {
                    [key: string]: string;
                } | null;
                /** @description Where it went; the path may be a secret. */
                origin: string | null;
            };
            response: {
                /** @description The first MiB; of all but the newest hundred deliveries the first thousand characters. */
                body: string;
                headers: {
                    [key: string]: string;
                };
                status: number;
            } | null;
            /** @enum {string} */
            state: "waiting" | "delivered" | "given-up";
            /** @description What the last attempt was answered with. */
            status: number | null;
            /** @description The same in every attempt: `X-Gitea-Delivery`. */
            uuid: string;
        };
    };
    responses: {
        /** @description Refused: `message` says why, and what to do. */
        refused: {
            headers: {
                /** @description Finds it in the log of the server. */
                "X-Request-Id": string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["APIError"];
            };
        };
    };
    parameters: {
        /** @description Entries on a page. */
        limit: number;
        /** @description From 1. */
        page: number;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    deleteVersionOfRegistry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone with all its files. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The owner has another name now: `Location` says where it is. */
            307: {
                headers: {
                    /** @description The same address with the new name. */
                    Location?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description A name that is not allowed (`invalid package name`, `invalid filename`, `invalid package version`), a digest that does not match, `Content-Range`, or an address that cannot be read. */
            400: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Credentials are missing or wrong. */
            401: {
                headers: {
                    /** @description `Basic realm="Stowage"` */
                    "WWW-Authenticate"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The caller may not do this, or the file is larger, or the owner has more, than is allowed. */
            403: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description There is no such owner, package, version or file, or the caller may not see it. */
            404: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500). */
            default: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    downloadFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description 412 if the file is another one. */
                "If-Match"?: string;
                /** @description 304 if the file is not newer. */
                "If-Modified-Since"?: string;
                /** @description 304 if the file is still this one. */
                "If-None-Match"?: string;
                /** @description The range only if the file is still this one; else all of it. */
                "If-Range"?: string;
                /** @description 412 if the file is newer. */
                "If-Unmodified-Since"?: string;
                /** @description Some of the bytes: one range, or up to 16. */
                Range?: string;
            };
            path: {
                /** @description The file, percent-encoded: letters, digits, spaces inside and ``_-+=:;.()[]{}~!@#$%^&``. */
                file: string;
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    /** @description `bytes` */
                    "Accept-Ranges"?: string;
                    /** @description `attachment`, with the name of the file. */
                    "Content-Disposition"?: string;
                    /** @description The SHA-256, in quotes. */
                    ETag?: string;
                    /** @description When the file was added. */
                    "Last-Modified"?: string;
                    /** @description `sha-256=:…:` (RFC 9530). */
                    "Repr-Digest"?: string;
                    /** @description The SHA-256, hexadecimal. */
                    "X-Checksum-Sha256"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The bytes that `Range` asks for. */
            206: {
                headers: {
                    /** @description `bytes` */
                    "Accept-Ranges"?: string;
                    /** @description `attachment`, with the name of the file. */
                    "Content-Disposition"?: string;
                    /** @description Which bytes; not there for several ranges. */
                    "Content-Range"?: string;
                    /** @description The SHA-256, in quotes. */
                    ETag?: string;
                    /** @description When the file was added. */
                    "Last-Modified"?: string;
                    /** @description `sha-256=:…:` (RFC 9530). */
                    "Repr-Digest"?: string;
                    /** @description The SHA-256, hexadecimal. */
                    "X-Checksum-Sha256"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                    "multipart/byteranges": unknown;
                };
            };
            /** @description Where the file is stored, if the server is set up so: `Location` works without credentials, for a minute and for this method. */
            303: {
                headers: {
                    /** @description An address of the object store. */
                    Location?: string;
                    /** @description The SHA-256, hexadecimal. */
                    "X-Checksum-Sha256"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The file is the one that the caller has. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The owner has another name now: `Location` says where it is. */
            307: {
                headers: {
                    /** @description The same address with the new name. */
                    Location?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description A name that is not allowed (`invalid package name`, `invalid filename`, `invalid package version`), a digest that does not match, `Content-Range`, or an address that cannot be read. */
            400: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Credentials are missing or wrong. */
            401: {
                headers: {
                    /** @description `Basic realm="Stowage"` */
                    "WWW-Authenticate"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The caller may not do this, or the file is larger, or the owner has more, than is allowed. */
            403: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description There is no such owner, package, version or file, or the caller may not see it. */
            404: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The file is not the one that `If-Match` or `If-Unmodified-Since` names. */
            412: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description `Range` lies behind the end of the file; `Content-Range` says how long it is. */
            416: {
                headers: {
                    /** @description `bytes *\/N` */
                    "Content-Range"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500). */
            default: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    publishFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description A digest of the body as it is sent. */
                "Content-Digest"?: string;
                /** @description The MD5 of the body as it is sent, base64. */
                "Content-MD5"?: string;
                /** @description A digest of the file (RFC 9530): `sha-256=:base64:`, `sha-512=…`. */
                "Repr-Digest"?: string;
                /** @description What the package is for, in UTF-8, where this is its first file. */
                "Stowage-Description"?: string;
                /** @description A digest of the file, hexadecimal. */
                "X-Checksum-Md5"?: string;
                /** @description A digest of the file, hexadecimal. */
                "X-Checksum-Sha1"?: string;
                /** @description A digest of the file, hexadecimal. */
                "X-Checksum-Sha256"?: string;
                /** @description A digest of the file, hexadecimal. */
                "X-Checksum-Sha512"?: string;
            };
            path: {
                /** @description The file, percent-encoded: letters, digits, spaces inside and ``_-+=:;.()[]{}~!@#$%^&``. */
                file: string;
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": unknown;
                "multipart/form-data": Record<string, never>;
            };
        };
        responses: {
            /** @description It is published. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The owner has another name now: `Location` says where it is. */
            307: {
                headers: {
                    /** @description The same address with the new name. */
                    Location?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description A name that is not allowed (`invalid package name`, `invalid filename`, `invalid package version`), a digest that does not match, `Content-Range`, or an address that cannot be read. */
            400: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Credentials are missing or wrong. */
            401: {
                headers: {
                    /** @description `Basic realm="Stowage"` */
                    "WWW-Authenticate"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The caller may not do this, or the file is larger, or the owner has more, than is allowed. */
            403: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description There is no such owner, package, version or file, or the caller may not see it. */
            404: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description `package file already exists`: in this version, in any letter case. */
            409: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500). */
            default: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    deleteFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The file, percent-encoded: letters, digits, spaces inside and ``_-+=:;.()[]{}~!@#$%^&``. */
                file: string;
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The owner has another name now: `Location` says where it is. */
            307: {
                headers: {
                    /** @description The same address with the new name. */
                    Location?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description A name that is not allowed (`invalid package name`, `invalid filename`, `invalid package version`), a digest that does not match, `Content-Range`, or an address that cannot be read. */
            400: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Credentials are missing or wrong. */
            401: {
                headers: {
                    /** @description `Basic realm="Stowage"` */
                    "WWW-Authenticate"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The caller may not do this, or the file is larger, or the owner has more, than is allowed. */
            403: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description There is no such owner, package, version or file, or the caller may not see it. */
            404: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500). */
            default: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    headFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description 412 if the file is another one. */
                "If-Match"?: string;
                /** @description 304 if the file is not newer. */
                "If-Modified-Since"?: string;
                /** @description 304 if the file is still this one. */
                "If-None-Match"?: string;
                /** @description 412 if the file is newer. */
                "If-Unmodified-Since"?: string;
            };
            path: {
                /** @description The file, percent-encoded: letters, digits, spaces inside and ``_-+=:;.()[]{}~!@#$%^&``. */
                file: string;
                /** @description The package: letters, digits and `_ - + .`, in any letter case. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded: any text without white space around it, without `/` and `\`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    /** @description `bytes` */
                    "Accept-Ranges"?: string;
                    /** @description `attachment`, with the name of the file. */
                    "Content-Disposition"?: string;
                    /** @description The SHA-256, in quotes. */
                    ETag?: string;
                    /** @description When the file was added. */
                    "Last-Modified"?: string;
                    /** @description `sha-256=:…:` (RFC 9530). */
                    "Repr-Digest"?: string;
                    /** @description The SHA-256, hexadecimal. */
                    "X-Checksum-Sha256"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Where the file is stored, if the server is set up so: `Location` works without credentials, for a minute and for this method. */
            303: {
                headers: {
                    /** @description An address of the object store. */
                    Location?: string;
                    /** @description The SHA-256, hexadecimal. */
                    "X-Checksum-Sha256"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The file is the one that the caller has. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The owner has another name now: `Location` says where it is. */
            307: {
                headers: {
                    /** @description The same address with the new name. */
                    Location?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description A name that is not allowed (`invalid package name`, `invalid filename`, `invalid package version`), a digest that does not match, `Content-Range`, or an address that cannot be read. */
            400: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Credentials are missing or wrong. */
            401: {
                headers: {
                    /** @description `Basic realm="Stowage"` */
                    "WWW-Authenticate"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The caller may not do this, or the file is larger, or the owner has more, than is allowed. */
            403: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description There is no such owner, package, version or file, or the caller may not see it. */
            404: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The file is not the one that `If-Match` or `If-Unmodified-Since` names. */
            412: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500). */
            default: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description What was done: one action, or with a `.` at its end all that begin so, such as `token.` */
                action?: string;
                /** @description Who did it: a user name, also of before or of who is gone. */
                actor?: string;
                /** @description What it was done with. */
                credential?: "password" | "token" | "deploy-token" | "session" | "passkey" | "oidc" | "proxy" | "link" | "operator";
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description At this user or organisation, or about it. */
                owner?: string;
                /** @description At this package, be it there or gone. */
                package?: string;
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description From this moment on (RFC 3339). */
                since?: string;
                /** @description By which token: its last eight characters. */
                token_last_eight?: string;
                /** @description Before this moment (RFC 3339). */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listSiteHooks: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createSiteHook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean | null;
                    authorization_header?: string | null;
                    /** @enum {string|null} */
                    branch_filter?: "" | "*" | null;
                    config: {
                        /** @constant */
                        content_type?: "json";
                        http_method?: string | null;
                        secret?: string | null;
                        url: string;
                    };
                    events?: ("package" | "file_added" | "file_deleted")[] | null;
                    /** @enum {string} */
                    type: "gitea" | "stowage";
                };
            };
        };
        responses: {
            /** @description The webhook. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getSiteHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteSiteHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and what it was told with it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    editSiteHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean | null;
                    authorization_header?: string | null;
                    /** @enum {string|null} */
                    branch_filter?: "" | "*" | null;
                    config?: {
                        /** @constant */
                        content_type?: "json";
                        http_method?: string | null;
                        secret?: string | null;
                        url?: string | null;
                    } | null;
                    events?: ("package" | "file_added" | "file_deleted")[] | null;
                };
            };
        };
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listSiteHookDeliveries: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description Only those in this state. */
                state?: "waiting" | "delivered" | "given-up";
            };
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getSiteHookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                delivery: number;
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetails"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    replaySiteHookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                delivery: number;
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new delivery. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetails"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listInvitations: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateInvitationOption"];
            };
        };
        responses: {
            /** @description The invitation, with its link. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewInvitation"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its link leads nowhere any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description Only those in this state. */
                state?: "waiting" | "running" | "given-up";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is due now. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getQuotas: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For all owners together, and for each. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteQuotas"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    changeQuotas: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    owners?: {
                        bytes?: number | null;
                        file_size?: number | null;
                        versions?: number | null;
                    };
                    site?: {
                        bytes?: number | null;
                        file_size?: number | null;
                        versions?: number | null;
                    };
                };
            };
        };
        responses: {
            /** @description As they are now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteQuotas"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOwnQuotas: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnQuota"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getQuotaOfOwner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its own numbers, and those that bind. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnerQuota"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteQuotaOfOwner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has no numbers of its own any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    changeQuotaOfOwner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    bytes?: number | null;
                    file_size?: number | null;
                    versions?: number | null;
                };
            };
        };
        responses: {
            /** @description As it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnerQuota"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listReservedNames: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReservedName"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteReservedName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Anybody may take it; it leads nowhere any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getStorage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The blob store. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Storage"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    sweepStorage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It will be done: `last_sweep` tells. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getUsageCheck: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the last one came to. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageCheck"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    askForUsageCheck: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It will be done: `last` tells. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateUserOption"];
            };
        };
        responses: {
            /** @description The user. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteUser: {
        parameters: {
            query?: {
                /** @description Whether packages go too; else an owner who still has some is not deleted (422). */
                purge?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description He is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditUserOption"];
            };
        };
        responses: {
            /** @description The user as he is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listIdentitiesOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteIdentityOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is unlinked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    createOrganizationFor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateOrgOption"];
            };
        };
        responses: {
            /** @description The organisation; the user is the first member of its team `Owners`. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deletePasskeysOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    createPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreatePasswordResetOption"];
            };
        };
        responses: {
            /** @description The link. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordReset"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    renameUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameUserOption"];
            };
        };
        responses: {
            /** @description The old name leads to the new one. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    deleteSessionsOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All browsers of this user must sign in again. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getSuspension: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Since when. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Suspension"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteSuspension: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description He is not suspended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    deleteSecondFactorOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is off. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    exchangeIdToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenExchangeRequest"];
            };
        };
        responses: {
            /** @description The token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenExchangeAnswer"];
                };
            };
            /** @description The ID token is not good, or no rule is about it. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenExchangeRefusal"];
                };
            };
            /** @description The request is too long. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenExchangeRefusal"];
                };
            };
            /** @description Too many from one network. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenExchangeRefusal"];
                };
            };
            /** @description The issuer does not tell its keys. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenExchangeRefusal"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    /** @description Of this release, at this address. */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        openapi: string;
                        paths: {
                            [key: string]: unknown;
                        };
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description It is the one that the caller has. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listOrganizations: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateOrgOption"];
            };
        };
        responses: {
            /** @description The organisation; the caller is the first member of its team `Owners`. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organisation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteOrganization: {
        parameters: {
            query?: {
                /** @description Whether packages go too; else an owner who still has some is not deleted (422). */
                purge?: "true" | "false";
            };
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    updateOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditOrgOption"];
            };
        };
        responses: {
            /** @description The organisation as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOrganizationAudit: {
        parameters: {
            query?: {
                /** @description What was done: one action, or with a `.` at its end all that begin so, such as `token.` */
                action?: string;
                /** @description Who did it: a user name, also of before or of who is gone. */
                actor?: string;
                /** @description What it was done with. */
                credential?: "password" | "token" | "deploy-token" | "session" | "passkey" | "oidc" | "proxy" | "link" | "operator";
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description At this package, be it there or gone. */
                package?: string;
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description From this moment on (RFC 3339). */
                since?: string;
                /** @description By which token: its last eight characters. */
                token_last_eight?: string;
                /** @description Before this moment (RFC 3339). */
                until?: string;
            };
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOrganizationHooks: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createOrganizationHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean | null;
                    authorization_header?: string | null;
                    /** @enum {string|null} */
                    branch_filter?: "" | "*" | null;
                    config: {
                        /** @constant */
                        content_type?: "json";
                        http_method?: string | null;
                        secret?: string | null;
                        url: string;
                    };
                    events?: ("package" | "file_added" | "file_deleted")[] | null;
                    /** @enum {string} */
                    type: "gitea" | "stowage";
                };
            };
        };
        responses: {
            /** @description The webhook. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getOrganizationHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteOrganizationHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and what it was told with it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    editOrganizationHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean | null;
                    authorization_header?: string | null;
                    /** @enum {string|null} */
                    branch_filter?: "" | "*" | null;
                    config?: {
                        /** @constant */
                        content_type?: "json";
                        http_method?: string | null;
                        secret?: string | null;
                        url?: string | null;
                    } | null;
                    events?: ("package" | "file_added" | "file_deleted")[] | null;
                };
            };
        };
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOrganizationHookDeliveries: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description Only those in this state. */
                state?: "waiting" | "delivered" | "given-up";
            };
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getOrganizationHookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                delivery: number;
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetails"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    replayOrganizationHookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                delivery: number;
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new delivery. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetails"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOrganizationInvitations: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createOrganizationInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateOrgInvitationOption"];
            };
        };
        responses: {
            /** @description The invitation, with its link. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewInvitation"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteOrganizationInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its link leads nowhere any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listMembers: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    isMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
                /** @description The user. */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description He is. Else 404. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    deleteMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
                /** @description The user. */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description He is in none of its teams any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    renameOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameOrgOption"];
            };
        };
        responses: {
            /** @description The old name leads to the new one. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listTeams: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation. */
                org: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTeamOption"];
            };
        };
        responses: {
            /** @description The team. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listDeployTokens: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeployToken"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createDeployToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateDeployTokenOption"];
            };
        };
        responses: {
            /** @description The token; `sha1` is what to call with, and is told this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeployToken"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getDeployToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token, without its secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeployToken"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteDeployToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and what packages gave it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listTrustedPublishers: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrustedPublisher"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createTrustedPublisher: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTrustedPublisherOption"];
            };
        };
        responses: {
            /** @description The rule. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrustedPublisher"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getTrustedPublisher: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrustedPublisher"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteTrustedPublisher: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and the tokens that jobs hold by it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    editTrustedPublisher: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditTrustedPublisherOption"];
            };
        };
        responses: {
            /** @description The rule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrustedPublisher"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listPackages: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description Not said: `asc` for `name`, `desc` for all others. */
                order?: "asc" | "desc";
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description Part of the package name, in any letter case. */
                q?: string;
                /** @description By what. Not said: `created`. */
                sort?: "created" | "name" | "version" | "size" | "downloads";
                /** @description There are generic packages alone: a list of any other is empty. */
                type?: string;
            };
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listVersions: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description Not said: `asc` for `name`, `desc` for all others. */
                order?: "asc" | "desc";
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description By what. Not said: `created`. */
                sort?: "created" | "name" | "version" | "size" | "downloads";
            };
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deletePackage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone with all its versions. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getPackageAccess: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who sees it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageAccess"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    changePackageAccess: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditPackageAccessOption"];
            };
        };
        responses: {
            /** @description Who sees it now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageAccess"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    givePackageToDeployToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of one of the owner's deploy tokens. */
                id: string;
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GivePackageAccessOption"];
            };
        };
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    takePackageFromDeployToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the deploy token. */
                id: string;
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    givePackageToTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of a team of the organisation. */
                id: string;
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GivePackageAccessOption"];
            };
        };
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    takePackageFromTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the team. */
                id: string;
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    givePackageToUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description A user whom the caller may see, or a member of the organisation. */
                user: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GivePackageAccessOption"];
            };
        };
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    takePackageFromUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The name of the user. */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listPackageAudit: {
        parameters: {
            query?: {
                /** @description What was done: one action, or with a `.` at its end all that begin so, such as `token.` */
                action?: string;
                /** @description Who did it: a user name, also of before or of who is gone. */
                actor?: string;
                /** @description What it was done with. */
                credential?: "password" | "token" | "deploy-token" | "session" | "passkey" | "oidc" | "proxy" | "link" | "operator";
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description From this moment on (RFC 3339). */
                since?: string;
                /** @description By which token: its last eight characters. */
                token_last_eight?: string;
                /** @description Before this moment (RFC 3339). */
                until?: string;
            };
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Only tells what would be deleted. */
                    dry_run?: boolean;
                    /** @description With `*` and `?`, such as `1.*-rc?`. */
                    pattern?: string;
                    /** @description By name. */
                    versions?: string[];
                };
            };
        };
        responses: {
            /** @description What was deleted, or would be. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedVersions"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getDownloads: {
        parameters: {
            query?: {
                /** @description Days that are told one by one, today being the last. */
                days?: number;
                /** @description Of this version alone, with totals of its files. */
                version?: string;
            };
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Downloads; days are those of UTC. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Downloads"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getLatestVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version that was made last. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    linkPackage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The repository. */
                repo: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            default: components["responses"]["refused"];
        };
    };
    getPackageMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The package. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageMetadata"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    changePackageMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    description?: string | null;
                    /** @description An http or https address; empty for none. */
                    homepage?: string | null;
                    /** @description None twice, in whatever letter case. */
                    labels?: string[] | null;
                    /** @description Markdown. */
                    readme?: string | null;
                    /** @description An http or https address; empty for none. */
                    repository_url?: string | null;
                };
            };
        };
        responses: {
            /** @description The package as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageMetadata"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    unlinkPackage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            default: components["responses"]["refused"];
        };
    };
    getPackage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone with all its files. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageFile"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listFileOrigins: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The package. */
                name: string;
                /** @description A user or an organisation. */
                owner: string;
                /** @description The version, percent-encoded. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileOrigin"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    searchPackages: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description Hexadecimal. Only versions with a file that has it. */
                md5?: string;
                /** @description Not said: `asc` for `name`, `desc` for all others. */
                order?: "asc" | "desc";
                /** @description Only his packages. */
                owner?: string;
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description Part of the package name, in any letter case. With one or two characters, its beginning. */
                q?: string;
                /** @description Hexadecimal. Only versions with a file that has it. */
                sha1?: string;
                /** @description Hexadecimal. Only versions with a file that has it. */
                sha256?: string;
                /** @description Hexadecimal. Only versions with a file that has it. */
                sha512?: string;
                /** @description By what. Not said: `created`. */
                sort?: "created" | "name" | "version" | "size" | "downloads";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": (components["schemas"]["FoundPackage"] | components["schemas"]["FoundVersion"])[];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The team. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    updateTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditTeamOption"];
            };
        };
        responses: {
            /** @description The team as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listTeamMembers: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The user. */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    addTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The user. */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description He is in it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    deleteTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
                /** @description The user. */
                user: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description He is out of it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getCurrentToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallingToken"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteCurrentToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and with it those that it made. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getUsage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is kept. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listUsage: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description The largest first, or by name. */
                sort?: "size" | "name";
            };
            header?: never;
            path: {
                /** @description A user or an organisation. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageUsage"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getCurrentUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOwnAudit: {
        parameters: {
            query?: {
                /** @description What was done: one action, or with a `.` at its end all that begin so, such as `token.` */
                action?: string;
                /** @description Who did it: a user name, also of before or of who is gone. */
                actor?: string;
                /** @description What it was done with. */
                credential?: "password" | "token" | "deploy-token" | "session" | "passkey" | "oidc" | "proxy" | "link" | "operator";
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description At this package, be it there or gone. */
                package?: string;
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description From this moment on (RFC 3339). */
                since?: string;
                /** @description By which token: its last eight characters. */
                token_last_eight?: string;
                /** @description Before this moment (RFC 3339). */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOwnHooks: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createOwnHook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean | null;
                    authorization_header?: string | null;
                    /** @enum {string|null} */
                    branch_filter?: "" | "*" | null;
                    config: {
                        /** @constant */
                        content_type?: "json";
                        http_method?: string | null;
                        secret?: string | null;
                        url: string;
                    };
                    events?: ("package" | "file_added" | "file_deleted")[] | null;
                    /** @enum {string} */
                    type: "gitea" | "stowage";
                };
            };
        };
        responses: {
            /** @description The webhook. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getOwnHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteOwnHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and what it was told with it. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    editOwnHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean | null;
                    authorization_header?: string | null;
                    /** @enum {string|null} */
                    branch_filter?: "" | "*" | null;
                    config?: {
                        /** @constant */
                        content_type?: "json";
                        http_method?: string | null;
                        secret?: string | null;
                        url?: string | null;
                    } | null;
                    events?: ("package" | "file_added" | "file_deleted")[] | null;
                };
            };
        };
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hook"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listOwnHookDeliveries: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
                /** @description Only those in this state. */
                state?: "waiting" | "delivered" | "given-up";
            };
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getOwnHookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                delivery: number;
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetails"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    replayOwnHookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                delivery: number;
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new delivery. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetails"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listIdentities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is unlinked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptInvitationOption"];
            };
        };
        responses: {
            /** @description The caller is in its team. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    listCurrentUserOrganizations: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listPasskeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Passkey"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deletePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePasswordOption"];
            };
        };
        responses: {
            /** @description The new password counts from now on; tokens and sessions that the old one made are gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getUserSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The settings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserSettings"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    updateUserSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserSettingsOptions"];
            };
        };
        responses: {
            /** @description The settings as they are now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserSettings"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How it stands. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecondFactor"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    beginSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The secret for an authenticator. Nothing changes before a code of it is confirmed. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecondFactorEnrolment"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is off. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    confirmSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmSecondFactorOption"];
            };
        };
        responses: {
            /** @description It is on. The recovery codes are told this once. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    renewRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new ones; the old ones are void. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user; or an organisation as if it were one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listUserOrganizations: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    listTokens: {
        parameters: {
            query?: {
                /** @description Entries on a page. */
                limit?: components["parameters"]["limit"];
                /** @description From 1. */
                page?: components["parameters"]["page"];
            };
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288). */
                    Link?: string;
                    /** @description Entries on all pages. Not there where counting them would take long. */
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessToken"][];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    createToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAccessTokenOption"];
            };
        };
        responses: {
            /** @description The token; `sha1` is what to call with, and is told this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessToken"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    deleteToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                name: string;
                /** @description Its id or its name. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and with it those that it made. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["refused"];
        };
    };
    getVersion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerVersion"];
                };
            };
            default: components["responses"]["refused"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `ok` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Credentials are missing or wrong. */
            401: {
                headers: {
                    /** @description `Basic realm="Stowage"` */
                    "WWW-Authenticate"?: string;
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description The caller may not do this, or the file is larger, or the owner has more, than is allowed. */
            403: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description There is no such owner, package, version or file, or the caller may not see it. */
            404: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
            /** @description Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500). */
            default: {
                headers: {
                    /** @description Finds it in the log of the server. */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @description The sentence that the plain text has. */
                        detail: string;
                        request_id: string;
                        status: number;
                        title: string;
                        type: string;
                    };
                    "text/plain": string;
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `ok` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description What cannot be. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
}
